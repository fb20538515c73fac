import { readFileSync } from 'node:fs';
import { connect, type ChannelModel, type RecoveringChannelModel } from 'amqplib';
import { Logger } from '@nestjs/common';
import { certificateProblem } from '@reprise/platform';
import { ManagedChannel, type ChannelOptions } from './managed-channel';
import { readHeadersSafely } from './readable-headers';

/** `blocked`: the broker is short of memory or disk and reads nothing from this connection until that is over. */
export type ConnectionState = 'connecting' | 'connected' | 'blocked' | 'closed';

export interface AmqpConnectionOptions {
  /** `amqp://user:password@host:port/vhost`, or `amqps:`. */
  url: string;
  /** With `amqps:`, the authority that the broker's certificate must come from, in PEM; the public ones by default. */
  caFile?: string | undefined;
  /** What the broker's own tools show for this connection. */
  name: string;
  /** Seconds without a frame after which the other side is held for dead; default 10. */
  heartbeatSeconds?: number;
  /** The longest pause between two attempts to connect; default 5000. */
  maxBackoffMs?: number;
}

type StateListener = (state: ConnectionState) => void;

/**
 * The one connection of a process to the broker. It begins to connect when it is started, goes on trying for ever with back-off, and comes
 * back after each loss with all of its channels. It never throws out of an event and never ends the process: who depends on the broker asks
 * {@link isReady}, or waits for a channel.
 */
export class AmqpConnection {
  /** The broker user of this connection: the only value that the broker accepts as a message's `user-id`. */
  readonly user: string;

  private readonly logger = new Logger(AmqpConnection.name);
  private readonly channels = new Set<ManagedChannel>();
  private readonly listeners = new Set<StateListener>();
  private recovering: Promise<RecoveringChannelModel> | undefined;
  private model: ChannelModel | undefined;
  private current: ConnectionState = 'connecting';
  private readonly ca: string | undefined;

  /** @throws Error where the authority's file cannot be read, or the URL would not have anybody look at it */
  constructor(private readonly options: AmqpConnectionOptions) {
    if (options.caFile !== undefined && !options.url.startsWith('amqps:')) {
      throw new Error('AMQP_CA_FILE is set, but AMQP_URL does not begin with amqps://: nothing would be encrypted');
    }
    this.ca = options.caFile === undefined ? undefined : readFileSync(options.caFile, 'utf8');
    this.user = decodeURIComponent(new URL(options.url).username) || 'guest';
  }

  get state(): ConnectionState {
    return this.current;
  }

  isReady(): boolean {
    return this.current === 'connected';
  }

  /** Tells each change of state; the returned function ends that. */
  onState(listener: StateListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Begins to connect and returns at once; more calls do nothing. */
  start(): void {
    this.recovering ??= this.open();
  }

  /** A channel that is opened, and set up anew, whenever there is a connection and it is not open. Starts the connection. */
  channel(options: ChannelOptions): ManagedChannel {
    const channel = new ManagedChannel(
      options,
      () => this.model,
      () => this.channels.delete(channel),
    );
    this.channels.add(channel);
    this.start();
    channel.connected();
    return channel;
  }

  /** Closes the channels, which flushes what they still have to send, then the connection. Never rejects. */
  async close(): Promise<void> {
    if (this.current === 'closed') return;
    await Promise.all([...this.channels].map((channel) => channel.close()));
    this.become('closed');
    this.model = undefined;
    await this.recovering?.then((recovering) => recovering.close()).catch(() => undefined);
  }

  private async open(): Promise<RecoveringChannelModel> {
    const { name, heartbeatSeconds = 10, maxBackoffMs = 5_000 } = this.options;
    const url = new URL(this.options.url);
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds));
    const recovering = await connect(url.toString(), {
      // Without it a reply waits for the other side's delayed acknowledgement: 43 ms against less than 1 (measured).
      noDelay: true,
      keepAlive: true,
      // A broker that accepts the socket and then says nothing must not hold the first attempt for ever.
      timeout: 10_000,
      ...(this.ca === undefined ? {} : { ca: this.ca }),
      clientProperties: { connection_name: name },
      recovery: { initialDelay: 100, maxDelay: maxBackoffMs, waitForConnect: false, setup: checkAlive },
    });
    recovering.on('connect', (model: ChannelModel) => this.connected(model));
    recovering.on('disconnect', (error: Error) => this.disconnected(error));
    recovering.on('connect-failed', (error: Error) => {
      const problem = certificateProblem(error, 'AMQP_CA_FILE') ?? error.message;
      this.logger.warn(`The broker cannot be reached: ${problem}`);
    });
    recovering.on('blocked', (reason: string) => {
      this.logger.warn(`The broker has blocked this connection: ${reason}`);
      this.become('blocked');
    });
    recovering.on('unblocked', () => this.become('connected'));
    // An 'error' without a listener would end the process; 'disconnect' follows it.
    recovering.on('error', (error: Error) => this.logger.warn(`Broker connection error: ${error.message}`));
    recovering.on('handler-error', (error: Error) => this.logger.error(error));
    return recovering;
  }

  private connected(model: ChannelModel): void {
    readHeadersSafely(model.connection);
    this.logger.log('Connected to the broker');
    this.model = model;
    this.become('connected');
    for (const channel of this.channels) channel.connected();
  }

  private disconnected(error: Error): void {
    this.logger.warn(`The connection to the broker is lost: ${error.message}`);
    this.model = undefined;
    this.become('connecting');
  }

  private become(state: ConnectionState): void {
    if (this.current === state || this.current === 'closed') return;
    this.current = state;
    for (const listener of this.listeners) listener(state);
  }
}

/**
 * amqplib listens to a connection only after it has opened it: one that closes in between would count as open for ever. Fails for such a one, and it
 * is tried again.
 */
async function checkAlive(model: ChannelModel): Promise<void> {
  let closed = false;
  // A fatal error is told before the close; without a listener it would be thrown.
  const ignore = (): void => undefined;
  const close = (): void => void (closed = true);
  model.on('error', ignore).on('close', close);
  const channel = await model.createChannel();
  await channel.close();
  model.off('error', ignore).off('close', close);
  if (closed) throw new Error('it was closed as soon as it was open');
}
