import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { Clock } from '@reprise/platform';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { MessagingMetrics } from '../metrics/messaging-metrics';
import type { Publisher } from '../publishing/publisher';
import type { Catalog } from '../topology/catalog';
import type { QueueSpec, RetryDelay, Topology, TopologyNames } from '../topology/topology';
import { DeliveryHandler } from './delivery-handler';
import { checkHandlers } from './handler-check';
import { type InfrastructureOptions, OutageGate } from './outage-gate';
import { QueueConsumer } from './queue-consumer';
import { Replier } from './replier';
import type { SenderPolicy } from './sender-check';
import { Settler } from './settler';

/** A queue that this service consumes. */
export interface ConsumerSpec {
  queue: string;
  /** How many of its messages are handled at once; default 50. Queries are not limited. */
  prefetch?: number;
  /** Types that must have a handler here; default: the routing keys of the queue's bindings. */
  types?: readonly string[];
}

export interface AmqpServerOptions {
  connection: AmqpConnection;
  publisher: Publisher;
  topology: Topology;
  names: TopologyNames;
  catalog: Catalog;
  consumers: readonly ConsumerSpec[];
  metrics: MessagingMetrics;
  infrastructure?: InfrastructureOptions;
  retryDelays?: readonly RetryDelay[];
  /** How long a closing service waits for the handlers in hand; default 25,000. */
  drainTimeoutMs?: number;
  /** Whose messages are taken; without it anyone's. */
  senderPolicy?: SenderPolicy;
  /** Broker users besides our own whose republished messages keep their first sender (an operator's, say). */
  trustedRepublishers?: readonly string[];
  clock?: Clock;
}

const DEFAULT_PREFETCH = 50;

/**
 * Nest's transport for this broker: brings messages to `@MessagePattern(TYPE)` and `@EventPattern(TYPE)` handlers, and their outcome back. It
 * exists because the stock one loses messages (docs/adr). Starting does not wait for the broker: consumption begins as soon as there is one.
 */
@Injectable()
export class AmqpServer extends Server implements CustomTransportStrategy, BeforeApplicationShutdown {
  override readonly transportId = Symbol('reprise-amqp');

  private consumers: QueueConsumer[] = [];
  private closing: Promise<void> | undefined;
  private readonly gate: OutageGate;

  constructor(private readonly options: AmqpServerOptions) {
    super();
    this.gate = new OutageGate(options.infrastructure, () => this.consumers.filter(({ kind }) => kind === 'work'));
  }

  /** What messages are being held for, if they are. */
  get outage(): Error | undefined {
    return this.gate.outage;
  }

  /** One handler for each type: a second one would hide the first, or run beside it. */
  override addHandler(pattern: unknown, callback: MessageHandler, isEventHandler = false, extras: Record<string, unknown> = {}): void {
    const type = this.normalizePattern(pattern as string);
    if (this.messageHandlers.has(type)) throw new Error(`The message type ${type} has two handlers`);
    super.addHandler(pattern, callback, isEventHandler, extras);
  }

  listen(callback: (error?: unknown) => void): void {
    try {
      const queues = this.options.consumers.map((spec) => ({ spec, queue: this.queueOf(spec.queue) }));
      checkHandlers(queues, this.messageHandlers, this.options.catalog);
      this.consume(queues);
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Whether every queue is being consumed. */
  isConsuming(): boolean {
    return this.consumers.length === this.options.consumers.length && this.consumers.every((consumer) => consumer.isConsuming());
  }

  /** Takes no more messages, finishes and settles those in hand; see `QueueConsumer.drain`. Nest calls this before it closes anything. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.close();
  }

  close(): Promise<void> {
    this.closing ??= this.drain();
    return this.closing;
  }

  on(): never {
    throw new Error('This transport has no events; ask AmqpConnection for the state of the connection');
  }

  unwrap<T>(): T {
    return this.options.connection as T;
  }

  private consume(queues: { spec: ConsumerSpec; queue: QueueSpec }[]): void {
    const { connection, publisher, names, retryDelays, metrics, clock = new Clock() } = this.options;
    const byName = new Map<string, QueueConsumer>();
    const replier = new Replier(connection);
    const settler = new Settler({
      publisher,
      replier,
      metrics,
      names,
      retryDelays,
      clock,
      mend: async (queue) => byName.get(queue)?.mend(),
    });
    const handler = new DeliveryHandler({
      handlers: this.messageHandlers,
      catalog: this.options.catalog,
      gate: this.gate,
      senderPolicy: this.options.senderPolicy,
      typesOf: new Map(queues.map(({ queue }) => [queue.name, typesOf(queue)])),
      trusted: new Set([connection.user, ...(this.options.trustedRepublishers ?? [])]),
      names,
      settler,
      replier,
      metrics,
      clock,
    });
    for (const { spec, queue } of queues) {
      const consumer = new QueueConsumer({
        connection,
        queue,
        prefetch: spec.prefetch ?? DEFAULT_PREFETCH,
        topology: { names, retryDelays },
        handle: (delivery) => handler.handle(delivery),
      });
      byName.set(queue.name, consumer);
      this.consumers.push(consumer);
    }
    for (const consumer of this.consumers) consumer.start();
  }

  private async drain(): Promise<void> {
    this.gate.stop();
    const left = await Promise.all(this.consumers.map((consumer) => consumer.drain(this.options.drainTimeoutMs ?? 25_000)));
    const count = left.reduce((sum, n) => sum + n, 0);
    if (count > 0) this.logger.warn(`${count} messages were not finished in time; the broker delivers them again`);
  }

  private queueOf(name: string): QueueSpec {
    const queue = this.options.topology.queues.find((spec) => spec.name === name);
    if (!queue) throw new Error(`The queue ${name} is not in the topology`);
    return queue;
  }
}

/** The types that a queue is there for; undefined where a pattern binds it. */
function typesOf({ bindings }: QueueSpec): ReadonlySet<string> | undefined {
  const keys = bindings.map(({ routingKey }) => routingKey);
  return keys.some((key) => /[*#]/.test(key)) ? undefined : new Set(keys);
}
