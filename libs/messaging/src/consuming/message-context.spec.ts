import type { ConsumeMessage } from 'amqplib';
import { MessageContext } from './message-context';

const make = (properties: Record<string, unknown>, body = '{}'): MessageContext =>
  new MessageContext(
    { content: Buffer.from(body), fields: { redelivered: true }, properties } as unknown as ConsumeMessage,
    'q',
    new Set(),
  );

describe('the context of a message', () => {
  it('holds rubbish for missing rather than passing it on', () => {
    const context = make({
      messageId: 7,
      type: '',
      replyTo: {},
      headers: { cloudEvents_time: 'noon', 'x-reprise-attempts': -1 },
    });
    expect(context).toMatchObject({ id: '', type: '', attempt: 1, replyTo: undefined, redelivered: true });
    expect(context.time).toEqual(new Date(0));
  });

  it('takes the time from the header, else from the property', () => {
    expect(make({ timestamp: 1, headers: { cloudEvents_time: '2026-03-01T10:00:00.123Z' } }).time.toISOString()).toBe(
      '2026-03-01T10:00:00.123Z',
    );
    expect(make({ timestamp: 1 }).time).toEqual(new Date(1_000));
    expect(make({ timestamp: 2 ** 52 }).time).toEqual(new Date(0));
  });

  it('has the same hash for the same message only: type, tenant, subject, actor and bytes', () => {
    const properties = { type: 't', headers: { cloudEvents_orgid: 'acme' } };
    const hash = make(properties).bodyHash.toString('hex');
    expect(make({ ...properties, timestamp: 5, correlationId: 'c' }).bodyHash.toString('hex')).toBe(hash);
    expect(make({ ...properties, headers: { cloudEvents_orgid: 'other' } }).bodyHash.toString('hex')).not.toBe(hash);
    expect(make({ ...properties, type: 'u' }).bodyHash.toString('hex')).not.toBe(hash);
    expect(make(properties, '{ }').bodyHash.toString('hex')).not.toBe(hash);
  });
});
