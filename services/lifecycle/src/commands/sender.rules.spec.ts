import { requestedBy, senderOf, senderRefusal } from './sender.rules';

const GATEWAY = 'reprise_gateway';
const alice = { caller: { sub: 'alice', own_only: false } };
const publisher = { userId: 'reprise_publisher', actor: undefined };

describe('who sends a command', () => {
  it.each([
    ['the gateway for a caller', alice, GATEWAY, 'gateway', 'alice'],
    ['the gateway for itself', {}, GATEWAY, 'service', 'service:reprise_gateway'],
    ['a service', {}, 'reprise_publisher', 'service', 'service:reprise_publisher'],
    ['a service that claims a caller', alice, 'reprise_publisher', 'service', 'service:reprise_publisher'],
    ['nobody, claiming a caller', alice, undefined, 'nobody', 'service:unknown'],
  ])('%s', (_, data, userId, sender, name) => {
    const origin = { userId, actor: undefined };
    expect(senderOf(data, origin, GATEWAY)).toBe(sender);
    expect(requestedBy(data, origin, senderOf(data, origin, GATEWAY))).toBe(name);
  });

  it('names on whose behalf a service asks, never as that user', () => {
    expect(requestedBy({}, { ...publisher, actor: 'alice' }, 'service')).toBe('service:reprise_publisher/alice');
  });
});

describe('a command is refused', () => {
  it('from nobody', () => expect(senderRefusal({}, 'nobody')).toMatchObject({ code: 'unauthenticated' }));

  it('from a service that says what only the gateway may', () => {
    const idempotency = { key: 'k', request_hash: 'a'.repeat(64) };
    const fields = { caller: expect.any(String), idempotency: expect.any(String) };
    expect(senderRefusal({ ...alice, idempotency }, 'service')).toMatchObject({ code: 'validation_error', details: { fields } });
  });

  it('not from the gateway, and not from a service that speaks for itself', () => {
    expect([senderRefusal(alice, 'gateway'), senderRefusal({}, 'service')]).toEqual([null, null]);
  });
});
