import { idempotencyOf, type KeyedRequest, requestHash } from './idempotency';

const REQUEST: KeyedRequest = { method: 'POST', path: '/v1/workspaces', query: {}, body: { role_name: 'coder', environment: 'a' } };
const hash = (more: Partial<KeyedRequest>): string => requestHash({ ...REQUEST, ...more });

describe('the hash of a request', () => {
  it('is the same however the same fields are written down', () => {
    expect(hash({ body: { environment: 'a', role_name: 'coder' } })).toBe(hash({}));
    expect(hash({ query: undefined })).toBe(hash({}));
    expect(hash({ body: undefined })).toBe(hash({ body: {} }));
    expect(hash({ body: { env: { b: 1, a: [{ d: 2, c: 3 }] } } })).toBe(hash({ body: { env: { a: [{ c: 3, d: 2 }], b: 1 } } }));
  });

  it.each<[string, Partial<KeyedRequest>]>([
    ['the method', { method: 'PATCH' }],
    ['the path', { path: '/v1/workspaces/x' }],
    ['the query', { query: { force: 'true' } }],
    ['a field', { body: { role_name: 'coder', environment: 'b' } }],
    ['a type', { body: { role_name: 'coder', environment: ['a'] } }],
    ['a missing field', { body: { role_name: 'coder' } }],
    ['a null', { body: { role_name: 'coder', environment: null } }],
    ['what moves between query and body', { query: REQUEST.body, body: {} }],
  ])('is another when %s differs', (_, more) => {
    expect(hash(more)).not.toBe(hash({}));
  });

  it('tells the order of a list', () => {
    expect(hash({ body: { command: ['a', 'b'] } })).not.toBe(hash({ body: { command: ['b', 'a'] } }));
  });
});

describe('an idempotency key', () => {
  it('is any printable text', () => {
    for (const key of ['a', ' !~', 'x'.repeat(255)])
      expect(idempotencyOf(key, REQUEST)).toEqual({ key, request_hash: requestHash(REQUEST) });
    expect(idempotencyOf(undefined, REQUEST)).toBeUndefined();
  });

  it.each(['', 'x'.repeat(256), 'a\u007f', 'é', 'a\nb', ['a'], 7])('%j is refused', (key) => {
    expect(() => idempotencyOf(key, REQUEST)).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ code: 'validation_error' }) }),
    );
  });
});
