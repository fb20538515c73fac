import { BROKER_USERS, EXCHANGE, QUEUES } from '@reprise/contracts';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { AmqpConnection, deadQueueOf, deathOf, QueueDrain } from '@reprise/messaging';
import type { HealthIndicator } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { DeadlettersConfig } from '../deadletters.config';
import { Collector } from './collector';

/** The users that bury messages: those whose word is taken for who sent one first. */
const UNDERTAKERS = BROKER_USERS.filter(({ write }) => new RegExp(write).test(EXCHANGE.dead)).map(({ name }) => name);

/** Empties every dead-letter queue there is, for as long as the service runs. */
@Injectable()
export class Drain implements OnApplicationBootstrap, BeforeApplicationShutdown, HealthIndicator {
  readonly name = 'dead-letter queues';

  private readonly drain: QueueDrain;

  constructor(connection: AmqpConnection, collector: Collector, config: DeadlettersConfig, @InjectDataSource() dataSource: DataSource) {
    const sources = new Map(QUEUES.filter(({ kind }) => kind === 'work').map(({ name }) => [deadQueueOf(name), name]));
    const trusted = new Set([...UNDERTAKERS, connection.user]);
    this.drain = new QueueDrain({
      connection,
      queues: [...sources.keys()],
      prefetch: config.drainPrefetch,
      take: (message, dead) => collector.collect(deathOf(message, sources.get(dead) ?? dead, trusted)),
      infrastructure: { probe: () => dataSource.query('SELECT 1') },
      drainTimeoutMs: config.shutdownTimeoutSeconds * 1000,
    });
  }

  onApplicationBootstrap(): void {
    this.drain.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drain.close();
  }

  isConsuming(): boolean {
    return this.drain.isConsuming();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous, this answer is not
  async check(): Promise<void> {
    if (!this.drain.isConsuming()) throw new Error('Not every dead-letter queue is being drained');
  }
}
