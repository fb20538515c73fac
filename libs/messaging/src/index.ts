import 'reflect-metadata';

export { AmqpConnection, type AmqpConnectionOptions, type ConnectionState } from './connection/amqp-connection';
export { type ChannelOptions, ManagedChannel } from './connection/managed-channel';
export { AmqpServer, type AmqpServerOptions, type ConsumerSpec } from './consuming/amqp-server';
export { type Death, deathOf, type Replay, toReplay } from './consuming/dead-letter';
export { EventsListener, type ListenOptions } from './consuming/events-listener';
export { type Applied, Inbox } from './consuming/inbox';
export { InboxJanitor } from './consuming/inbox-janitor';
export { MessageContext, type TrustedUsers } from './consuming/message-context';
export type { InfrastructureOptions } from './consuming/outage-gate';
export { Dependency } from './consuming/dependency';
export { QueueDrain, type QueueDrainOptions } from './consuming/queue-drain';
export { DeadLetter, type DeadReason, type Refusal, RefusedError, RetryLater, WaitFor } from './consuming/outcome';
export type { SenderPolicy } from './consuming/sender-check';
export { type MessagingTable, table } from './database/tables';
export { MESSAGING_METRICS, OUTBOX_METRICS } from './metrics/messaging.metrics';
export { BrokerIndicator } from './module/health';
export { MessagingModule } from './module/messaging.module';
export type { MessagingModuleAsyncOptions, MessagingModuleOptions, MessagingOptions, MessagingStore } from './module/options';
export { Envelope, type OutgoingMessage, type PreparedMessage, UnknownMessageTypeError } from './publishing/envelope';
export { CE, HEADER } from './publishing/headers';
export { Outbox, type OutboxBatch, type OutboxRow } from './publishing/outbox';
export { OutboxRelay } from './publishing/outbox-relay';
export { OutboxRepository } from './publishing/outbox.repository';
export { Publisher, type RawMessage, UnconfirmedError, UnroutableError } from './publishing/publisher';
export { type ReplyBody } from './requesting/reply';
export {
  type Reply,
  Requester,
  RequestFailedError,
  type RequestOptions,
  RequestTimeoutError,
  RequestUnavailableError,
} from './requesting/requester';
export * from './topology';
export { type Catalog, catalogOf, type MessageKind, type MessageSpec, type SelfDescribingMessage } from './topology/catalog';
