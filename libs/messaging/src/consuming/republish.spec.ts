import type { ConsumeMessage } from 'amqplib';
import { CE, HEADER } from '../publishing/headers';
import { RETRY_DELAYS } from '../topology/topology';
import { MessageContext } from './message-context';
import { foreign, toDead, toRetry, toWait } from './republish';

const NAMES = { retry: 'retry', dead: 'dead' };
const NOW = new Date('2026-03-01T10:00:00Z');

function message(properties: Record<string, unknown> = {}, headers: Record<string, unknown> = {}): ConsumeMessage {
  const base = { messageId: 'm-1', type: 'a.v1', contentType: 'application/json', userId: 'gateway', expiration: '1000' };
  return {
    content: Buffer.from('{ "as": "received" }'),
    fields: { redelivered: false },
    properties: { ...base, ...properties, headers },
  } as unknown as ConsumeMessage;
}

const context = (m: ConsumeMessage): MessageContext => new MessageContext(m, 'q', new Set(['own']));

describe('a message that is published again', () => {
  it.each([
    [0, 'q.retry.5s'],
    [1, 'q.retry.30s'],
    [2, 'q.retry.5m'],
  ])('after %i failed attempts waits in %s', (attempts, queue) => {
    const m = message({ userId: 'own' }, { [HEADER.attempts]: attempts, [HEADER.userId]: 'gateway' });
    const retry = toRetry(m, context(m), NAMES, RETRY_DELAYS, NOW)!;
    expect(retry).toMatchObject({ exchange: 'retry', routingKey: queue, body: m.content });
    expect(retry.properties.headers).toMatchObject({ [HEADER.attempts]: attempts + 1, [HEADER.firstFailure]: NOW.toISOString() });
  });

  it('is not tried a fifth time', () => {
    const m = message({ userId: 'own' }, { [HEADER.attempts]: 3 });
    expect(toRetry(m, context(m), NAMES, RETRY_DELAYS, NOW)).toBeUndefined();
  });

  it('keeps its first failure, its own headers and properties, and loses what would end it or what the broker wrote', () => {
    const headers = {
      mine: 1,
      'x-death': [{}],
      'x-first-death-queue': 'q',
      'x-delivery-count': 3,
      [HEADER.firstFailure]: '2026-01-01T00:00:00Z',
      [HEADER.userId]: 'gateway',
    };
    const m = message({ userId: 'own', replyTo: 'r', correlationId: 'c', priority: 3, timestamp: 7 }, headers);
    const { properties } = toDead(m, context(m), NAMES, 'cursed', new Error('x'), NOW);
    expect(properties).toMatchObject({
      messageId: 'm-1',
      type: 'a.v1',
      replyTo: 'r',
      correlationId: 'c',
      priority: 3,
      timestamp: 7,
      deliveryMode: 2,
    });
    expect(properties).not.toHaveProperty('expiration');
    expect(properties).not.toHaveProperty('userId');
    expect(properties.headers).toMatchObject({ mine: 1, [HEADER.firstFailure]: '2026-01-01T00:00:00Z', [HEADER.userId]: 'gateway' });
    for (const key of ['x-death', 'x-first-death-queue', 'x-delivery-count']) expect(properties.headers).not.toHaveProperty(key);
  });

  it('fits its headers into what AMQP can carry, whatever the sender and the error wrote', () => {
    const error = new Error('é'.repeat(100_000));
    error.stack = 'é'.repeat(100_000);
    const m = message({}, { big: 'x'.repeat(60_000), small: 'kept' });
    const { headers } = toDead(m, context(m), NAMES, 'cursed', error, NOW).properties as { headers: Record<string, string> };
    expect(Buffer.byteLength(headers[HEADER.stack]!)).toBeLessThanOrEqual(8 * 1024);
    expect(headers[HEADER.stack]).toMatch(/^é+…$/);
    expect(headers).toMatchObject({ small: 'kept', [HEADER.leftOut]: 'big (60009 bytes)' });
    expect(headers).not.toHaveProperty('big');
  });

  it('leaves out what cannot be sent again, says so, and still says it after the next time', () => {
    const bad = { type: { '!': 'nonsense' }, double: -1e300, ['\uFFFD'.repeat(255)]: 1, mine: 'kept' };
    const first = foreign({ ...bad, [HEADER.leftOut]: 'an older one (7 bytes)' });
    expect(first).toEqual({
      mine: 'kept',
      [HEADER.leftOut]: expect.stringMatching(/^an older one \(7 bytes\); type \(cannot be sent again\); double \(.*; … \(.*\)$/),
    });
    expect(foreign(first)).toEqual(first);
  });

  it('says in a limited space what is left out, however much that is', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`h${i}`, 'x'.repeat(20)]));
    const note = foreign(many)[HEADER.leftOut] as string;
    expect(note).toMatch(/; and \d+ more$/);
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
  });

  it('keeps what says whose it is, whatever its sender put before that', () => {
    expect(foreign({ ballast: 'x'.repeat(40 * 1024 - 20), [CE.orgId]: 'acme' })).toMatchObject({ [CE.orgId]: 'acme' });
  });

  it('cuts properties that have become longer than they may be, and leaves out a time that cannot be sent', () => {
    const m = message({ messageId: '\uFFFD'.repeat(255), appId: '\uFFFD'.repeat(255), timestamp: 2 ** 64 });
    const { properties } = toDead(m, context(m), NAMES, 'cursed', new Error('x'), NOW);
    for (const name of ['messageId', 'appId'] as const) expect(Buffer.byteLength(properties[name]!)).toBeLessThanOrEqual(255);
    expect(properties).not.toHaveProperty('timestamp');
  });

  it('waits for what is away in the shortest retry queue, with as many attempts behind it as before', () => {
    const m = message({ userId: 'own' }, { [HEADER.attempts]: 2, [HEADER.userId]: 'gateway' });
    expect(toWait(m, context(m), NAMES, RETRY_DELAYS)).toMatchObject({
      routingKey: 'q.retry.5s',
      properties: { headers: { [HEADER.attempts]: 2, [HEADER.userId]: 'gateway' } },
    });
  });

  it('believes no stranger about what has happened to it on its way', () => {
    const m = message({ userId: 'stranger' }, { [HEADER.attempts]: 3, [HEADER.firstFailure]: '2000-01-01T00:00:00Z' });
    expect(context(m)).toMatchObject({ attempt: 1, firstFailure: undefined, republished: false });
  });

  it('is nobody’s after a retry, too, where nobody has sent it', () => {
    const first = message({ userId: undefined });
    const { headers } = toRetry(first, context(first), NAMES, RETRY_DELAYS, NOW)!.properties;
    expect(context(message({ userId: 'own' }, headers as Record<string, unknown>)).userId).toBeUndefined();
  });

  it('passes on whom a republisher of our own names as its first sender, and no stranger', () => {
    const claim = { [HEADER.userId]: 'gateway' };
    expect(context(message({ userId: 'own' }, claim)).userId).toBe('gateway');
    expect(context(message({ userId: 'stranger' }, claim)).userId).toBe('stranger');
    expect(context(message({ userId: undefined }, claim)).userId).toBeUndefined();
  });
});
