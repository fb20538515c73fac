import { identityOf } from './claims.rules';

const GOOD = { sub: 'alice', org_id: 'acme', permissions: ['workspace:read'], exp: 2_000_000_000 };

describe('the claims of a token', () => {
  it('name the caller, the org and the permissions', () => {
    expect(identityOf(GOOD)).toEqual({ sub: 'alice', orgId: 'acme', permissions: ['workspace:read'] });
    expect(identityOf({ ...GOOD, permissions: [] })).toMatchObject({ permissions: [] });
  });

  it.each([
    ['no claims', null],
    ['a text', 'alice'],
    ['no sub', { ...GOOD, sub: undefined }],
    ['an empty sub', { ...GOOD, sub: '' }],
    ['a sub that is a number', { ...GOOD, sub: 7 }],
    ['a sub with a line break', { ...GOOD, sub: 'alice\r\nX: y' }],
    ['a sub that is too long', { ...GOOD, sub: 'a'.repeat(256) }],
    ['no org', { ...GOOD, org_id: undefined }],
    ['an org that is no name', { ...GOOD, org_id: 'acme corp' }],
    ['no permissions', { ...GOOD, permissions: undefined }],
    ['permissions in one text', { ...GOOD, permissions: 'workspace:read' }],
    ['a permission that is a number', { ...GOOD, permissions: ['workspace:read', 1] }],
    ['no expiry', { ...GOOD, exp: undefined }],
  ])('are refused with %s', (_, claims) => {
    expect(typeof identityOf(claims)).toBe('string');
  });
});
