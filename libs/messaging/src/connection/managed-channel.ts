import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { Logger } from '@nestjs/common';
import { backoffMs } from './backoff';

export interface ChannelOptions {
  /** For the log. */
  name: string;
  /** Whether the broker confirms what is published here; default true. On a channel without confirms the callbacks are never called. */
  confirm?: boolean;
  /** Run on each new channel before anyone gets it: declare, bind, consume. A failure closes the channel and it is tried again with back-off. */
  setup?: (channel: ConfirmChannel) => Promise<void>;
  /** Told when a channel that was open is lost, before the next one is tried. */
  onLost?: () => void;
}

/** A channel that lived longer than this was healthy: its loss is not one more failure in a row. */
const HEALTHY_MS = 5_000;
const MAX_BACKOFF_MS = 5_000;
/**
 * Never at once: a queue that is made again within a millisecond of its deletion leaves the consumers of the other replicas deaf, neither
 * cancelled nor served (measured, RabbitMQ 3.10.8). After this the broker has told them all.
 */
const FIRST_BACKOFF_MS = 100;

/**
 * A channel that comes back. The broker closes a channel for one wrong request, and every channel when the connection goes; this one opens
 * again each time and is set up again by its own function. Made by `AmqpConnection.channel`.
 */
export class ManagedChannel {
  private readonly logger = new Logger(ManagedChannel.name);
  private readonly waiting = new Set<(channel: ConfirmChannel | undefined) => void>();
  private current: ConfirmChannel | undefined;
  private opening = false;
  private closed = false;
  private failures = 0;
  private openedAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ChannelOptions,
    private readonly model: () => ChannelModel | undefined,
    private readonly forget: () => void,
  ) {}

  /** The open and set-up channel, or undefined while there is none. */
  get open(): ConfirmChannel | undefined {
    return this.current;
  }

  /** The channel as soon as there is one; rejects after `timeoutMs` and when closed. */
  whenOpen(timeoutMs: number): Promise<ConfirmChannel> {
    if (this.current) return Promise.resolve(this.current);
    return new Promise((resolve, reject) => {
      const settle = (channel: ConfirmChannel | undefined): void => {
        clearTimeout(timer);
        this.waiting.delete(settle);
        if (channel) resolve(channel);
        else reject(new Error(`There is no channel to the broker (${this.options.name})`));
      };
      const timer = setTimeout(settle, timeoutMs, undefined);
      this.waiting.add(settle);
      if (this.closed) settle(undefined);
    });
  }

  /** Calls back with the channel once there is one, unless it is closed before. */
  onceOpen(use: (channel: ConfirmChannel) => void): void {
    if (this.current) return use(this.current);
    const settle = (channel: ConfirmChannel | undefined): void => {
      this.waiting.delete(settle);
      if (channel) use(channel);
    };
    if (!this.closed) this.waiting.add(settle);
  }

  /** To be called when there may be a connection. */
  connected(): void {
    this.failures = 0;
    this.schedule(0);
  }

  /** Gives the present channel up and opens another, set up anew: when a queue has gone, say. */
  reopen(reason: string): void {
    if (!this.current || this.closed) return;
    this.logger.warn(`Channel ${this.options.name} is set up again: ${reason}`);
    this.current.close().catch(() => undefined);
  }

  /** Closes for good; what was sent or acknowledged on it before reaches the broker first. Never rejects. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.forget();
    const channel = this.current;
    this.current = undefined;
    for (const settle of this.waiting) settle(undefined);
    await channel?.close().catch(() => undefined);
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tryOpen(), delayMs);
    this.timer.unref();
  }

  private async tryOpen(): Promise<void> {
    const model = this.model();
    if (!model || this.current || this.opening || this.closed) return;
    this.opening = true;
    let channel: ConfirmChannel | undefined;
    try {
      channel = await this.create(model);
      await this.options.setup?.(channel);
      this.opened(channel, model);
    } catch (error) {
      this.logger.warn(`Channel ${this.options.name} cannot be set up: ${(error as Error).message}`);
      channel?.close().catch(() => undefined);
      this.schedule(backoffMs(this.failures++, FIRST_BACKOFF_MS, MAX_BACKOFF_MS));
    } finally {
      this.opening = false;
    }
  }

  private async create(model: ChannelModel): Promise<ConfirmChannel> {
    // A plain channel lacks only the confirms, which its users then do not ask for.
    const channel = this.options.confirm === false ? ((await model.createChannel()) as ConfirmChannel) : await model.createConfirmChannel();
    channel.on('error', (error: Error) => this.logger.warn(`Channel ${this.options.name}: ${error.message}`));
    channel.on('handler-error', (error: Error) => this.logger.error(error));
    channel.on('close', () => {
      dead.add(channel);
      this.lost(channel);
    });
    return channel;
  }

  private opened(channel: ConfirmChannel, model: ChannelModel): void {
    if (this.closed) return void channel.close().catch(() => undefined);
    // One that closed before anybody listened to it has closed with its connection.
    if (dead.has(channel) || this.model() !== model) throw new Error('it was closed while it was set up');
    this.current = channel;
    this.openedAt = performance.now();
    for (const settle of [...this.waiting]) settle(channel);
  }

  private lost(channel: ConfirmChannel): void {
    if (this.current !== channel) return;
    this.current = undefined;
    if (performance.now() - this.openedAt > HEALTHY_MS) this.failures = 0;
    this.options.onLost?.();
    if (!this.closed) this.schedule(backoffMs(this.failures++, FIRST_BACKOFF_MS, MAX_BACKOFF_MS));
  }
}

/** Channels that have closed while we listened: amqplib has no public word for it, and one may close in the gap between its set-up and its use. */
const dead = new WeakSet<ConfirmChannel>();
