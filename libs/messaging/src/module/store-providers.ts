import type { Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { Metrics } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { Inbox } from '../consuming/inbox';
import { probeStore } from '../database/probe';
import { InboxJanitor } from '../consuming/inbox-janitor';
import { sampleOutbox } from '../metrics/sample-messaging';
import { AfterCommitSubscriber } from '../publishing/after-commit';
import { Envelope } from '../publishing/envelope';
import { Outbox } from '../publishing/outbox';
import { OutboxRelay } from '../publishing/outbox-relay';
import { OutboxRepository } from '../publishing/outbox.repository';
import { Publisher } from '../publishing/publisher';
import { MESSAGING_OPTIONS, type MessagingOptions, type MessagingStore } from './options';
import { METRICS, provide } from './provide';

const DEFAULT_RETENTION_DAYS = 30;

/** Outbox and inbox in this schema of the application's data source. `messagingMigration` makes their tables. */
export function storeIn(schema: string): MessagingStore {
  return {
    dataSource: getDataSourceToken(),
    probe: (dataSource, error) => probeStore(dataSource, schema, error),
    providers: storeProviders(schema),
  };
}

function storeProviders(schema: string): Provider[] {
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
