import { Logger } from '@nestjs/common';
import { Clock } from '@reprise/platform';
import type { ConsumeMessage } from 'amqplib';
import { pause } from '../connection/backoff';
import { MessageContext } from './message-context';
import type { Delivery } from './queue-consumer';
import { Settler, type SettlerOptions } from './settler';

jest.mock('../connection/backoff', () => ({
  backoffMs: (_: number, first: number, max: number) => Math.min(first, max),
  pause: jest.fn(() => Promise.resolve()),
}));

const message = { content: Buffer.from('{}'), fields: {}, properties: { messageId: 'm', type: 't.v1' } } as unknown as ConsumeMessage;
const context = new MessageContext(message, 'q', new Set());

describe('a message that cannot be put aside, since the broker does not confirm', () => {
  let works: boolean;
  let settler: Settler;
  let now: jest.SpyInstance<number>;
  let lines: jest.SpyInstance;
  const delivery = { message, queue: { name: 'q' }, ack: jest.fn(), requeue: jest.fn(), letGo: new AbortController().signal };

  beforeEach(() => {
    works = false;
    jest.clearAllMocks();
    now = jest.spyOn(performance, 'now').mockReturnValue(0);
    lines = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
    settler = new Settler({
      publisher: { send: () => (works ? Promise.resolve() : Promise.reject(new Error('Not confirmed'))) },
      replier: { reply: () => undefined },
      metrics: { ended: () => undefined },
      names: { retry: 'retry', dead: 'dead' },
      clock: new Clock(),
      mend: () => Promise.resolve(),
    } as unknown as SettlerOptions);
  });

  afterEach(() => jest.restoreAllMocks());

  const bury = (at: number) => {
    now.mockReturnValue(at);
    return settler.settle(delivery as unknown as Delivery, context, { end: 'dead', reason: 'invalid', error: new Error('x') });
  };
  const pauses = () => (pause as jest.Mock).mock.calls.map(([ms]: [number]) => ms);

  it('goes back after a pause that is as long as that has been so, and not for ever', async () => {
    for (const at of [0, 500, 3_000, 10_000, 100_000]) await bury(at);
    expect(pauses()).toEqual([1_000, 1_000, 3_000, 10_000, 30_000]);
    expect(delivery.requeue).toHaveBeenCalledTimes(5);
    works = true;
    await bury(101_000);
    expect(delivery.ack).toHaveBeenCalledTimes(1);
    works = false;
    await bury(200_000);
    expect(pauses().at(-1)).toBe(1_000);
  });

  it('is told of in one line for many', async () => {
    for (let i = 0; i < 400; i++) await bury(i);
    expect(lines).toHaveBeenCalledTimes(1);
    await bury(40_000);
    expect(lines).toHaveBeenCalledTimes(2);
    expect(lines).toHaveBeenLastCalledWith(expect.stringContaining('Not confirmed (and 399 more since the last line)'));
  });
});
