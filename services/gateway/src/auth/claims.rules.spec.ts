import { identityOf } from './claims.rules';

const GOOD = { sub: 'alice', org_id: 'acme', permissions: ['workspace:read'], exp: 2_000_000_000, aud: 'reprise' };
const AUDIENCES = { jwtAudience: 'reprise', operatorAudience: 'operators', operatorOrgs: ['ops'] };

describe('the claims of a token', () => {
  it('name the caller, the org and the permissions', () => {
    expect(identityOf(GOOD, AUDIENCES)).toEqual({
      sub: 'alice',
      orgId: 'acme',
      permissions: ['workspace:read'],
      isForTenants: true,
      isOperators: false,
    });
    expect(identityOf({ ...GOOD, permissions: [] }, AUDIENCES)).toMatchObject({ permissions: [] });
  });

  it.each([
    ['of an org of operators', { org_id: 'ops' }, AUDIENCES, true, true],
    ['of another org', { org_id: 'ops2' }, AUDIENCES, true, false],
    ['for the audience of operators alone', { aud: 'operators' }, AUDIENCES, false, true],
    ['for both audiences', { aud: ['operators', 'reprise'] }, AUDIENCES, true, true],
    ['for an audience among others', { aud: ['x', 'reprise'] }, AUDIENCES, true, false],
    [
      'where there are no operators',
      { org_id: 'ops', aud: ['operators', 'reprise'] },
      { jwtAudience: 'reprise', operatorOrgs: [] },
      true,
      false,
    ],
    ['without an audience', { aud: undefined }, { jwtAudience: 'reprise', operatorOrgs: [] }, false, false],
  ])('tell whether it is one of an operator: %s', (_, more, audiences, isForTenants, isOperators) => {
    expect(identityOf({ ...GOOD, ...more }, audiences)).toMatchObject({ isForTenants, isOperators });
  });

  it.each([
    ['no claims', null],
    ['a text', 'alice'],
    ['no sub', { ...GOOD, sub: undefined }],
    ['an empty sub', { ...GOOD, sub: '' }],
    ['a sub that is a number', { ...GOOD, sub: 7 }],
    ['a sub with a line break', { ...GOOD, sub: 'alice\r\nX: y' }],
    ['a sub with NEL', { ...GOOD, sub: 'alice\u0085' }],
    ['a sub with half a surrogate pair', { ...GOOD, sub: 'alice\ud800' }],
    ['the sub of a service', { ...GOOD, sub: 'service:reprise_publisher' }],
    ['the sub of Reprise itself', { ...GOOD, sub: 'reprise:pod-lost' }],
    ['the sub of a key', { ...GOOD, sub: 'key:k1' }],
    ['a sub that is too long', { ...GOOD, sub: 'a'.repeat(256) }],
    ['no org', { ...GOOD, org_id: undefined }],
    ['an org that is no name', { ...GOOD, org_id: 'acme corp' }],
    ['an org with half a surrogate pair', { ...GOOD, org_id: 'acme\ud800' }],
    ['no permissions', { ...GOOD, permissions: undefined }],
    ['permissions in one text', { ...GOOD, permissions: 'workspace:read' }],
    ['a permission that is a number', { ...GOOD, permissions: ['workspace:read', 1] }],
    ['no expiry', { ...GOOD, exp: undefined }],
  ])('are refused with %s', (_, claims) => {
    expect(typeof identityOf(claims, AUDIENCES)).toBe('string');
  });
});
