import type { AmqpConnection, ConnectionState } from '../connection/amqp-connection';
import type { Envelope } from './envelope';
import { Publisher, UnconfirmedError, UnroutableError } from './publisher';

type Confirm = (error: unknown) => void;

/** The broker's side of a channel, where a test says in which order returns and confirmations come. */
function harness(state: ConnectionState = 'connected') {
  const confirms: Confirm[] = [];
  const published: Record<string, unknown>[] = [];
  let onReturn: (message: unknown) => void = () => undefined;
  const channel = {
    on: (_: string, listener: typeof onReturn) => (onReturn = listener),
    publish: (_exchange: string, _key: string, _body: Buffer, properties: Record<string, unknown>, confirm: Confirm) => {
      published.push(properties);
      confirms.push(confirm);
    },
  };
  const connection = {
    state,
    user: 'svc',
    isReady: () => true,
    channel: ({ setup }: { setup: (c: typeof channel) => Promise<void> }) => {
      void setup(channel);
      return { open: channel };
    },
  };
  const publisher = new Publisher({ connection: connection as unknown as AmqpConnection, envelope: {} as Envelope, confirmTimeoutMs: 50 });
  const send = (messageId: string, properties = {}) =>
    publisher.send({ exchange: 'e', routingKey: 'k', body: '{}', properties: { messageId, ...properties } });
  const back = (messageId: string): void => onReturn({ fields: { exchange: 'e', routingKey: 'k' }, properties: { messageId } });
  return { send, back, confirms, published };
}

describe('the publisher', () => {
  it('rejects a message that came back although the broker confirms it, and no other', async () => {
    const { send, back, confirms } = harness();
    const [lost, fine] = [send('lost'), send('fine')];
    back('lost');
    confirms.forEach((confirm) => confirm(null));
    await expect(lost).rejects.toThrow(UnroutableError);
    await expect(fine).resolves.toBeUndefined();
  });

  it('sees both copies of one message come back, confirmed together', async () => {
    const { send, back, confirms } = harness();
    const copies = Promise.allSettled([send('m'), send('m'), send('m')]);
    back('m');
    back('m');
    confirms[0]!(null);
    confirms[1]!(null);
    confirms[2]!(null);
    expect((await copies).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  it('rejects what is refused, what is lost with the channel, and what is not confirmed in time', async () => {
    const { send, confirms } = harness();
    const refused = send('refused');
    confirms[0]!(new Error('message nacked'));
    await expect(refused).rejects.toThrow(UnconfirmedError);
    await expect(send('silence')).rejects.toThrow('Not confirmed within 50 ms');
  });

  it('does not pile messages up while the broker blocks the connection', async () => {
    const { send, published } = harness('blocked');
    await expect(send('m')).rejects.toThrow(UnconfirmedError);
    expect(published).toEqual([]);
  });

  it('is mandatory unless the message says otherwise, and always in its own name', async () => {
    const { send, confirms, published } = harness();
    const sent = Promise.all([send('a', { userId: 'another' }), send('b', { mandatory: false })]);
    confirms.forEach((confirm) => confirm(null));
    await sent;
    expect(published).toMatchObject([
      { mandatory: true, userId: 'svc' },
      { mandatory: false, userId: 'svc' },
    ]);
  });
});
