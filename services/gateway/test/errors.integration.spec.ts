import { ListWorkspaces } from '@reprise/contracts';
import { RoundTrip } from '../src/messages/round-trip';
import { expectError, GatewayUnderTest } from './support';

let gateway: GatewayUnderTest;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  await gateway.others.answer(ListWorkspaces, () => ({}));
});
afterAll(() => gateway.stop());

describe('the request id', () => {
  it.each(['7f3a9c2e', 'a.b-c_d', 'x'.repeat(128)])('%s is taken and given back', async (id) => {
    const fine = await gateway.call('GET', '/v1/workspaces', { headers: { 'x-request-id': id } });
    const wrong = await gateway.call('GET', '/v1/workspaces?x=1', { headers: { 'x-request-id': id } });
    expect([fine.status, fine.headers.get('x-request-id'), wrong.body.error.request_id]).toEqual([200, id, id]);
    const bad = await gateway.call('GET', '/v1/%zz', { headers: { 'x-request-id': id } });
    expect([bad.status, bad.body.error.request_id]).toEqual([400, id]);
  });

  it.each(['', 'two words', '<script>', 'x'.repeat(129)])('%j is not taken: another is made', async (id) => {
    const answered = await gateway.call('GET', '/v1/workspaces', { headers: { 'x-request-id': id } });
    expect(answered.headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
    expect(answered.headers.get('x-request-id')).not.toBe(id);
  });
});

it('a crash says nothing of itself', async () => {
  const spy = jest
    .spyOn(gateway.app.get(RoundTrip, { strict: false }), 'ask')
    .mockRejectedValue(new Error('password=hunter2 at /srv/secret.js'));
  try {
    const answered = await gateway.call('GET', '/v1/workspaces');
    expectError(answered, 500, 'internal_error');
    expect(JSON.stringify(answered.body)).not.toMatch(/hunter2|secret/);
  } finally {
    spy.mockRestore();
  }
});
