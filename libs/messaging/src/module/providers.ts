import type { FactoryProvider, Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { Clock, Metrics } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { AmqpConnection } from '../connection/amqp-connection';
import { AmqpServer } from '../consuming/amqp-server';
import { EventsListener } from '../consuming/events-listener';
import { Inbox } from '../consuming/inbox';
import { InboxJanitor } from '../consuming/inbox-janitor';
import { passErrorsThrough } from '../consuming/pass-through.filter';
import { MessagingMetrics } from '../metrics/messaging-metrics';
import { sampleBroker, sampleOutbox } from '../metrics/sample-messaging';
import { AfterCommitSubscriber } from '../publishing/after-commit';
import { Envelope } from '../publishing/envelope';
import { Outbox } from '../publishing/outbox';
import { OutboxRelay } from '../publishing/outbox-relay';
import { OutboxRepository } from '../publishing/outbox.repository';
import { Publisher } from '../publishing/publisher';
import { Requester } from '../requesting/requester';
import { BrokerIndicator } from './health';
import { MessagingLifecycle } from './lifecycle';
import { MESSAGING_OPTIONS, type MessagingOptions } from './options';

const DEFAULT_RETENTION_DAYS = 30;

/** What every service has. */
export function coreProviders(withDatabase: boolean): Provider[] {
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
      [AmqpConnection, Envelope, MessagingMetrics],
      (connection: AmqpConnection, envelope: Envelope, metrics: MessagingMetrics) => new Requester(connection, envelope, metrics),
    ),
    provide(
      EventsListener,
      [MESSAGING_OPTIONS, AmqpConnection],
      ({ catalog }: MessagingOptions, connection: AmqpConnection) => new EventsListener(connection, catalog),
    ),
    serverProvider(withDatabase),
    BrokerIndicator,
    MessagingLifecycle,
  ];
}

/** What a service with a database has besides. */
export function storeProviders(schema: string): Provider[] {
  return [
    provide(Outbox, [Envelope], (envelope: Envelope) => new Outbox(envelope, schema)),
    provide(Inbox, [], () => new Inbox(schema)),
    provide(
      OutboxRelay,
      [MESSAGING_OPTIONS, Publisher, getDataSourceToken(), METRICS],
      ({ outboxSweepMs: sweepMs }: MessagingOptions, publisher: Publisher, dataSource: DataSource, metrics: Metrics | undefined) => {
        const repository = new OutboxRepository(dataSource, schema);
        if (metrics) sampleOutbox(metrics, repository);
        const relay = new OutboxRelay({ publisher, repository, sweepMs });
        new AfterCommitSubscriber((rows) => relay.wake({ rows })).attach(dataSource);
        return relay;
      },
    ),
    provide(
      InboxJanitor,
      [MESSAGING_OPTIONS, Inbox, getDataSourceToken()],
      ({ inboxRetentionDays = DEFAULT_RETENTION_DAYS }: MessagingOptions, inbox: Inbox, dataSource: DataSource) =>
        new InboxJanitor(inbox, dataSource, inboxRetentionDays),
    ),
  ];
}

function serverProvider(withDatabase: boolean): Provider {
  return provide(
    AmqpServer,
    [
      MESSAGING_OPTIONS,
      AmqpConnection,
      Publisher,
      MessagingMetrics,
      ModulesContainer,
      CLOCK,
      ...(withDatabase ? [getDataSourceToken()] : []),
    ],
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
      const probe = dataSource && (() => dataSource.query('SELECT 1'));
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

const CLOCK = { token: Clock, optional: true };
const METRICS = { token: Metrics, optional: true };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are whatever `inject` names
type Factory = (...dependencies: any[]) => unknown;

function provide(token: FactoryProvider['provide'], inject: NonNullable<FactoryProvider['inject']>, useFactory: Factory): FactoryProvider {
  return { provide: token, inject, useFactory };
}
