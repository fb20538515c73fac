import type { Metrics } from '@reprise/platform';
import type { AmqpConnection } from '../connection/amqp-connection';
import type { OutboxRepository } from '../publishing/outbox.repository';
import { deadQueueOf, RETRY_DELAYS, type RetryDelay, retryQueueOf, type Topology } from '../topology/topology';
import { CONNECTED, OUTBOX_AGE, OUTBOX_MESSAGES, QUEUE_CONSUMERS, QUEUE_MESSAGES } from './messaging.metrics';
import { QueueDepths } from './queue-depths';

/** What is asked of the broker when the process is scraped. @param consumed the queues of this service, by name */
export function sampleBroker(
  metrics: Metrics,
  connection: AmqpConnection,
  consumed: readonly string[],
  { topology, retryDelays = RETRY_DELAYS }: { topology: Topology; retryDelays?: readonly RetryDelay[] | undefined },
): void {
  const connected = metrics.gauge(CONNECTED);
  metrics.sample([CONNECTED], {
    source: 'connection',
    everyMs: 0,
    read: () => Promise.resolve(connection.isReady()),
    show: (ready) => connected.set(ready ? 1 : 0),
  });

  const own = topology.queues.filter(({ name }) => consumed.includes(name));
  const work = own.filter(({ kind }) => kind === 'work').map(({ name }) => name);
  const retries = new Set(work.flatMap((name) => retryDelays.map(({ label }) => retryQueueOf(name, label))));
  const depths = new QueueDepths(connection, [...own.map(({ name }) => name), ...work.map(deadQueueOf), ...retries]);
  const messages = metrics.gauge(QUEUE_MESSAGES);
  const consumers = metrics.gauge(QUEUE_CONSUMERS);
  metrics.sample([QUEUE_MESSAGES, QUEUE_CONSUMERS], {
    source: 'queues',
    read: () => depths.read(),
    show: (found) => {
      for (const depth of found) {
        messages.set({ queue: depth.queue }, depth.messages);
        if (!retries.has(depth.queue)) consumers.set({ queue: depth.queue }, depth.consumers);
      }
    },
  });
}

/** What is asked of the outbox when the process is scraped. */
export function sampleOutbox(metrics: Metrics, repository: OutboxRepository): void {
  const waiting = metrics.gauge(OUTBOX_MESSAGES);
  const age = metrics.gauge(OUTBOX_AGE);
  metrics.sample([OUTBOX_MESSAGES, OUTBOX_AGE], {
    source: 'outbox',
    read: () => repository.waiting(),
    show: ({ count, oldestSeconds }) => {
      waiting.set(count);
      age.set(oldestSeconds);
    },
  });
}
