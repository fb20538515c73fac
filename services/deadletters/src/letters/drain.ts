import { brokerUserOf, QUEUES } from '@reprise/contracts';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { AmqpConnection, deadQueueOf, deathOf, QueueDrain } from '@reprise/messaging';
import { storeIn } from '@reprise/messaging/store';
import type { HealthIndicator } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { DeadlettersConfig } from '../deadletters.config';
import { SCHEMA } from '../migrations';
import { Collector } from './collector';

/** Empties every dead-letter queue there is, for as long as the service runs. */
@Injectable()
export class Drain implements OnApplicationBootstrap, BeforeApplicationShutdown, HealthIndicator {
  readonly name = 'dead-letter queues';

  private readonly drain: QueueDrain;

  constructor(connection: AmqpConnection, collector: Collector, config: DeadlettersConfig, @InjectDataSource() dataSource: DataSource) {
    const sources = new Map(
      QUEUES.filter(({ kind }) => kind === 'work').map(({ name, service }) => [
        deadQueueOf(name),
        // Others can put a message into a dead-letter queue, too; only its service, and we with a replay, know who sent it first.
        { queue: name, trusted: new Set([brokerUserOf(service), connection.user]) },
      ]),
    );
    this.drain = new QueueDrain({
      connection,
      queues: [...sources.keys()],
      prefetch: config.drainPrefetch,
      take: (message, dead) => {
        const { queue, trusted } = sources.get(dead)!;
        return collector.collect(deathOf(message, queue, trusted));
      },
      infrastructure: { probe: (error) => storeIn(SCHEMA).probe(dataSource, error) },
      drainTimeoutMs: config.shutdownTimeoutSeconds * 1000,
    });
  }

  onApplicationBootstrap(): void {
    this.drain.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.close();
  }

  /** What dead letters are being held for, if they are. */
  get outage(): Error | undefined {
    return this.drain.outage;
  }

  isConsuming(): boolean {
    return this.drain.isConsuming();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this answer is not
  async check(): Promise<void> {
    if (!this.drain.isConsuming()) throw new Error('Not every dead-letter queue is being drained');
  }
}
