import type { ConsumeMessage } from 'amqplib';
import { Logger } from '@nestjs/common';
import type { AmqpConnection } from '../connection/amqp-connection';
import { backoffMs, pause } from '../connection/backoff';
import { type InfrastructureOptions, OutageGate } from './outage-gate';
import { type Delivery, QueueConsumer } from './queue-consumer';

export interface QueueDrainOptions {
  connection: AmqpConnection;
  /** Queues that others make; one that is not there yet is waited for. */
  queues: readonly string[];
  /** How many messages of each queue are in hand at once; default 20. */
  prefetch?: number;
  /** Takes the message over for good; it is acknowledged when this resolves, and never before. */
  take: (message: ConsumeMessage, queue: string) => Promise<void>;
  infrastructure?: InfrastructureOptions;
  /** How long closing waits for what is in hand; default 25,000. */
  drainTimeoutMs?: number;
}

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

/**
 * Takes messages out of queues as they are, without a look at what they hold: for what nothing else could handle. A message that cannot be
 * taken over stays in hand, unacknowledged, and is tried again; it is given back only once for each outage that lasts, and at the end, since the
 * broker counts deliveries. While the database is away the queue holds the messages.
 */
export class QueueDrain {
  private readonly logger = new Logger(QueueDrain.name);
  private readonly consumers: QueueConsumer[];
  private readonly gate: OutageGate;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: QueueDrainOptions) {
    this.gate = new OutageGate(options.infrastructure, () => this.consumers);
    this.consumers = options.queues.map(
      (name) =>
        new QueueConsumer({
          connection: options.connection,
          queue: { name, kind: 'work', bindings: [] },
          prefetch: options.prefetch ?? 20,
          handle: (delivery) => this.handle(delivery),
        }),
    );
  }

  start(): void {
    for (const consumer of this.consumers) consumer.start();
  }

  /** Whether every queue is being drained. */
  isConsuming(): boolean {
    return this.consumers.every((consumer) => consumer.isConsuming());
  }

  /** What messages are being held for, if they are. */
  get outage(): Error | undefined {
    return this.gate.outage;
  }

  /** Takes no more and finishes what is in hand; what cannot be finished in time stays in its queue. */
  close(): Promise<void> {
    this.gate.stop();
    this.closing ??= Promise.all(this.consumers.map((consumer) => consumer.drain(this.options.drainTimeoutMs ?? 25_000))).then(
      () => undefined,
    );
    return this.closing;
  }

  private async handle(delivery: Delivery): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.options.take(delivery.message, delivery.queue.name);
        return delivery.ack();
      } catch (error) {
        if (this.gate.caused(error)) {
          await this.gate.wait(error, delivery.letGo);
        } else {
          this.logger.error({ err: error }, `A message of ${delivery.queue.name} cannot be taken over and is kept in hand`);
          await pause(backoffMs(attempt, FIRST_PAUSE_MS, MAX_PAUSE_MS), delivery.letGo);
        }
        if (delivery.letGo.aborted || !delivery.live()) return delivery.requeue();
      }
    }
  }
}
