import type { ConsumeMessage } from 'amqplib';
import { HEADER } from '../publishing/headers';
import { deathOf, toReplay } from './dead-letter';

const TRUSTED = new Set(['service']);
const NAMES = { retry: 'retry', dead: 'dead' };

function dead(properties: Record<string, unknown> = {}, headers: Record<string, unknown> = {}): ConsumeMessage {
  const base = { messageId: 'm-1', type: 'a.v1', contentType: 'application/json', userId: 'service', expiration: '1000', replyTo: 'gone' };
  return { content: Buffer.from([0xff, 0x00]), fields: {}, properties: { ...base, ...properties, headers } } as unknown as ConsumeMessage;
}

const story = {
  mine: 1,
  cloudEvents_orgid: 'acme',
  [HEADER.deadReason]: 'invalid',
  [HEADER.exception]: 'Error: no',
  [HEADER.stack]: 'Error: no\n at x',
  [HEADER.sourceQueue]: 'q',
  [HEADER.attempts]: 3,
  [HEADER.firstFailure]: '2026-03-01T10:00:00.000Z',
  [HEADER.lastFailure]: '2026-03-01T10:05:00.000Z',
  [HEADER.userId]: 'publisher',
};

describe('a message from a dead-letter queue', () => {
  it('tells why, when and from whom, as the service that buried it wrote down', () => {
    expect(deathOf(dead({}, story), 'q', TRUSTED)).toMatchObject({
      queue: 'q',
      messageId: 'm-1',
      type: 'a.v1',
      orgId: 'acme',
      userId: 'publisher',
      reason: 'invalid',
      exception: 'Error: no',
      attempts: 3,
      lastFailure: new Date('2026-03-01T10:05:00.000Z'),
      body: Buffer.from([0xff, 0x00]),
    });
  });

  it('that the broker took out itself tells the reason of the broker, whatever its sender claims', () => {
    const died = { 'x-death': [{ queue: 'q', reason: 'delivery_limit', time: { '!': 'timestamp', value: 1_700_000_000 } }] };
    expect(deathOf(dead({ userId: 'publisher' }, { ...story, ...died, [HEADER.userId]: 'gateway' }), 'q', TRUSTED)).toMatchObject({
      reason: 'delivery_limit',
      exception: undefined,
      userId: 'publisher',
      lastFailure: new Date(1_700_000_000_000),
    });
  });

  it.each([
    ['no headers and no properties', { properties: {}, content: Buffer.alloc(0), fields: {} }],
    [
      'headers of every wrong kind',
      dead({ messageId: 7, type: {} }, { [HEADER.attempts]: 'x', [HEADER.firstFailure]: 'never', 'x-death': [null, 3] }),
    ],
  ])('with %s is read all the same', (_, message) => {
    expect(deathOf(message as ConsumeMessage, 'q', TRUSTED)).toMatchObject({ queue: 'q', reason: 'unknown', attempts: 0 });
  });
});

describe('a replayed message', () => {
  const replay = toReplay({ ...deathOf(dead({}, story), 'q', TRUSTED), replays: 2 }, NAMES);

  it('goes to the queue that failed, with its id and its bytes', () => {
    expect(replay).toMatchObject({ exchange: 'retry', routingKey: 'q', body: Buffer.from([0xff, 0x00]) });
    expect(replay.properties).toMatchObject({ messageId: 'm-1', type: 'a.v1', contentType: 'application/json', deliveryMode: 2 });
  });

  it('has all its attempts again, its first sender, and how often it was replayed; nobody waits for its answer', () => {
    expect(replay.properties.headers).toEqual({
      mine: 1,
      cloudEvents_orgid: 'acme',
      [HEADER.userId]: 'publisher',
      [HEADER.replays]: 2,
    });
    for (const name of ['replyTo', 'expiration', 'userId']) expect(replay.properties).not.toHaveProperty(name);
  });
});
