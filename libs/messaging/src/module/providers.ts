import type { Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Clock, Metrics } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { AmqpConnection } from '../connection/amqp-connection';
import { AmqpServer } from '../consuming/amqp-server';
import { EventsListener } from '../consuming/events-listener';
import { passErrorsThrough } from '../consuming/pass-through.filter';
import { MessagingMetrics } from '../metrics/messaging-metrics';
import { sampleBroker } from '../metrics/sample-messaging';
import { Envelope } from '../publishing/envelope';
import { Publisher } from '../publishing/publisher';
import { Requester } from '../requesting/requester';
import { BrokerIndicator } from './health';
import { MessagingLifecycle } from './lifecycle';
import { MESSAGING_OPTIONS, type MessagingOptions, type MessagingStore } from './options';
import { CLOCK, METRICS, provide } from './provide';

/** What every service has. */
export function coreProviders(store: MessagingStore | undefined): Provider[] {
  return [
    provide(
      AmqpConnection,
      [MESSAGING_OPTIONS],
      ({ url, caFile, source }: MessagingOptions) => new AmqpConnection({ url, caFile, name: source }),
    ),
    provide(
      Envelope,
      [MESSAGING_OPTIONS, CLOCK],
      ({ catalog, source }: MessagingOptions, clock: Clock | undefined) => new Envelope(catalog, source, clock),
    ),
    metricsProvider(),
    provide(
      Publisher,
      [MESSAGING_OPTIONS, AmqpConnection, Envelope, MessagingMetrics],
      ({ confirmTimeoutMs }: MessagingOptions, connection: AmqpConnection, envelope: Envelope, metrics: MessagingMetrics) =>
        new Publisher({ connection, envelope, confirmTimeoutMs, metrics }),
    ),
    provide(
      Requester,
      [MESSAGING_OPTIONS, AmqpConnection, Envelope, MessagingMetrics],
      ({ senderPolicy }: MessagingOptions, connection: AmqpConnection, envelope: Envelope, metrics: MessagingMetrics) =>
        new Requester(connection, envelope, metrics, senderPolicy?.answerers),
    ),
    provide(
      EventsListener,
      [MESSAGING_OPTIONS, AmqpConnection],
      ({ catalog, senderPolicy }: MessagingOptions, connection: AmqpConnection) => new EventsListener(connection, catalog, senderPolicy),
    ),
    serverProvider(store),
    BrokerIndicator,
    MessagingLifecycle,
  ];
}

function serverProvider(store: MessagingStore | undefined): Provider {
  return provide(
    AmqpServer,
    [MESSAGING_OPTIONS, AmqpConnection, Publisher, MessagingMetrics, ModulesContainer, CLOCK, ...(store ? [store.dataSource] : [])],
    (
      options: MessagingOptions,
      connection: AmqpConnection,
      publisher: Publisher,
      metrics: MessagingMetrics,
      modules: ModulesContainer,
      clock: Clock | undefined,
      dataSource: DataSource | undefined,
    ) => {
      passErrorsThrough(modules);
      const probe = store && dataSource && ((error: unknown) => store.probe(dataSource, error));
      return new AmqpServer({
        ...options,
        connection,
        publisher,
        metrics,
        clock,
        consumers: options.consumers ?? [],
        infrastructure: { probe, ...options.infrastructure },
      });
    },
  );
}

/** An application without metrics, in a test say, counts for nobody. */
function metricsProvider(): Provider {
  return provide(
    MessagingMetrics,
    [MESSAGING_OPTIONS, AmqpConnection, METRICS],
    (options: MessagingOptions, connection: AmqpConnection, metrics: Metrics = new Metrics()) => {
      sampleBroker(
        metrics,
        connection,
        (options.consumers ?? []).map(({ queue }) => queue),
        options,
      );
      return new MessagingMetrics(
        metrics,
        options.catalog,
        options.topology.exchanges.map(({ name }) => name),
      );
    },
  );
}
