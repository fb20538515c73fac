import type { FactoryProvider, InjectionToken, ModuleMetadata, Provider } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { ConsumerSpec } from '../consuming/amqp-server';
import type { InfrastructureOptions } from '../consuming/outage-gate';
import type { SenderPolicy } from '../consuming/sender-check';
import type { Catalog } from '../topology/catalog';
import type { RetryDelay, Topology, TopologyNames } from '../topology/topology';

export interface MessagingOptions {
  /** The broker, with the service's own user and virtual host. */
  url: string;
  /** With an `amqps:` URL, the authority that the broker's certificate must come from; the public ones by default. */
  caFile?: string | undefined;
  /** CloudEvents `source`, AMQP `app-id` and the connection's name: the service's name. */
  source: string;
  /** At least the queues that are consumed here. */
  topology: Topology;
  names: TopologyNames;
  /** Every message that is sent or handled here. */
  catalog: Catalog;
  /** What is consumed here; nothing by default. */
  consumers?: readonly ConsumerSpec[];
  /** Default: a transient database error is held until the database answers, where there is one. */
  infrastructure?: InfrastructureOptions;
  retryDelays?: readonly RetryDelay[];
  /** How long a closing service waits for its handlers; default 25,000. Keep it under the orchestrator's own limit. */
  drainTimeoutMs?: number;
  /** How long to wait for a publish to be confirmed; default 10,000. */
  confirmTimeoutMs?: number;
  trustedRepublishers?: readonly string[];
  /** Whom consumers and requests believe; without it anyone. */
  senderPolicy?: SenderPolicy;
  outboxSweepMs?: number;
  /** How long an applied message is remembered; default 30. Longer than dead letters are kept, or a replayed one may have a second effect. */
  inboxRetentionDays?: number;
}

/** Outbox and inbox, and the data source that they are in. Made by `storeIn` (`@reprise/messaging/store`). */
export interface MessagingStore {
  readonly dataSource: InjectionToken;
  /** Whether what failed like this would succeed now. */
  readonly probe: (dataSource: DataSource, error: unknown) => Promise<void>;
  readonly providers: readonly Provider[];
}

export interface MessagingModuleOptions extends MessagingOptions {
  /** Without it the service has neither outbox nor inbox, and loads no TypeORM. */
  store?: MessagingStore;
}

export interface MessagingModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  store?: MessagingStore;
  inject?: FactoryProvider['inject'];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are whatever `inject` names
  useFactory: (...dependencies: any[]) => MessagingOptions | Promise<MessagingOptions>;
}

export const MESSAGING_OPTIONS = Symbol('messaging options');
