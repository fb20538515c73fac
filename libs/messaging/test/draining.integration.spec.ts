import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { AmqpServer, deadQueueOf, MessageContext } from '../src';
import { COMMAND, Note, properties, startApp, WORK } from './support/fixture';
import { TestBroker, waitFor } from './support';

const started: string[] = [];
const finished: string[] = [];
const redelivered: string[] = [];
let release: () => void = () => undefined;
let held = Promise.resolve();

@Controller()
class Notes {
  @MessagePattern(COMMAND)
  async note(@Payload() { text }: Note, @Ctx() { id, redelivered: again }: MessageContext): Promise<void> {
    started.push(id);
    if (again) redelivered.push(id);
    if (text === 'hold') await held;
    finished.push(id);
  }
}

describe('a service that closes', () => {
  let broker: TestBroker;

  beforeEach(async () => {
    broker = await TestBroker.create();
    for (const list of [started, finished, redelivered]) list.splice(0);
    held = new Promise((resolve) => (release = resolve));
  });

  afterEach(() => broker.drop());

  const start = (more = {}) => startApp(broker, { controllers: [Notes], consumers: [{ queue: WORK, types: [], prefetch: 10 }], ...more });
  const send = (id: string, text: string) => broker.publish('t.commands', COMMAND, { text }, properties(COMMAND, id));

  it('finishes and acknowledges what is in hand, takes nothing more, and leaves nothing to be delivered again', async () => {
    const app = await start();
    for (let i = 0; i < 15; i++) await send(`m-${i}`, 'hold');
    await waitFor(() => started.length === 10, 'as many as the prefetch allows');

    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await waitFor(() => !app.get(AmqpServer).isConsuming(), 'the drain to begin');
    await send('m-late', 'hold');
    expect(closed).toBe(false);
    expect(finished).toEqual([]);

    release();
    await closing;
    expect(finished.length).toBe(10);
    expect(started.length).toBe(10);
    expect(await broker.count(WORK)).toBe(6);

    const next = await start();
    await waitFor(() => finished.length === 16, 'the rest');
    expect(redelivered).toEqual([]);
    expect(new Set(finished).size).toBe(16);
    await next.close();
  });

  it('gives back after its limit what does not finish, and another replica does it', async () => {
    const app = await start({ drainTimeoutMs: 200 });
    await send('stuck', 'hold');
    await waitFor(() => started.length === 1, 'the message to be in hand');
    // It resolves although the handler is only let go afterwards.
    await app.close();
    release();

    const next = await start();
    await waitFor(() => redelivered.includes('stuck'), 'the second delivery');
    await next.close();
    expect(await broker.count(WORK)).toBe(0);
    expect(await broker.count(deadQueueOf(WORK))).toBe(0);
  });

  it('does not start when a message that it should handle has no handler', async () => {
    const starting = startApp(broker, { controllers: [], consumers: [{ queue: WORK, types: [COMMAND] }] });
    await expect(starting).rejects.toThrow(`${COMMAND} has no handler`);
  });
});
