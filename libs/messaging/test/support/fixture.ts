import 'reflect-metadata';
import { type INestApplication, type LogLevel, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IsOptional, IsString } from 'class-validator';
import {
  AmqpServer,
  assertExchanges,
  type Catalog,
  type ConsumerSpec,
  type MessageKind,
  MessagingModule,
  type MessagingOptions,
  type MessageSpec,
  type RetryDelay,
  type Topology,
  type TopologyNames,
} from '../../src';
import { messagingMigration } from '../../src/migration';
import { storeIn } from '../../src/store';
import type { TestBroker } from './test-broker';
import type { TestDatabase } from './test-database';
import { waitFor } from './wait-for';

/** A small world for the tests: one command, one event, one query. */
export class Note {
  @IsString()
  text!: string;

  @IsOptional()
  @IsString()
  more?: string;
}

export const NAMES: TopologyNames = { retry: 't.retry', dead: 't.dead' };
export const COMMAND = 'test.note.v1';
export const EVENT = 'test.noted.v1';
export const QUERY = 'test.read.v1';
export const WORK = 'notes.commands';
export const QUERIES = 'notes.queries';
export const SCHEMA = 'notes';

/** Retries so short that a test can wait for all of them. */
export const SHORT: readonly RetryDelay[] = [
  { label: '5s', ms: 50 },
  { label: '30s', ms: 60 },
  { label: '5m', ms: 70 },
];

const spec = (type: string, kind: MessageKind): MessageSpec => ({ type, kind, exchange: `t.${kind}s`, routingKey: type, data: Note });

export const CATALOG: Catalog = new Map(
  [COMMAND, EVENT, QUERY].map((type, i) => [type, spec(type, (['command', 'event', 'query'] as const)[i]!)]),
);

export const TOPOLOGY: Topology = {
  exchanges: [
    { name: 't.commands', type: 'topic' },
    { name: 't.events', type: 'topic' },
    { name: 't.querys', type: 'direct' },
    { name: NAMES.retry, type: 'direct' },
    { name: NAMES.dead, type: 'direct' },
  ],
  queues: [
    // Everything, so that a message without a handler arrives as well.
    { name: WORK, kind: 'work', bindings: [{ exchange: 't.commands', routingKey: '#' }] },
    { name: QUERIES, kind: 'query', bindings: [{ exchange: 't.querys', routingKey: QUERY }] },
  ],
};

export interface AppOptions extends Partial<MessagingOptions> {
  controllers?: Type[];
  imports?: NonNullable<ModuleMetadata['imports']>;
  consumers?: ConsumerSpec[];
  /** With it the service has an outbox and an inbox; the application closes its data source itself. */
  database?: TestDatabase;
  /** The broker is not there yet: do not wait for it. */
  late?: boolean;
}

/** A service in this process: a Nest application whose controllers consume the work queue of this broker. It consumes when this resolves. */
export async function startApp(
  broker: TestBroker,
  { controllers = [], imports = [], database, late, ...options }: AppOptions,
): Promise<INestApplication> {
  await assertExchanges(broker.channel, TOPOLOGY.exchanges);
  const messaging = MessagingModule.forRoot({
    url: broker.url,
    source: 'notes',
    topology: TOPOLOGY,
    names: NAMES,
    catalog: CATALOG,
    consumers: [{ queue: WORK, types: [] }],
    retryDelays: SHORT,
    ...options,
    ...(database ? { store: storeIn(SCHEMA) } : {}),
  });
  const connect = (from: TestDatabase) => ({
    useFactory: () => ({ type: 'postgres' as const }),
    dataSourceFactory: () => from.connect(SCHEMA, [messagingMigration(SCHEMA)]),
  });
  const store = database ? [TypeOrmModule.forRootAsync(connect(database))] : [];

  @Module({ imports: [...imports, ...store, messaging], controllers })
  class App {}

  const app = await NestFactory.create(App, new FastifyAdapter(), {
    logger: (process.env.TEST_LOG?.split(',') as LogLevel[]) ?? false,
    abortOnError: false,
  });
  app.connectMicroservice({ strategy: app.get(AmqpServer) });
  try {
    await app.init();
    await app.startAllMicroservices();
    if (!late) await waitFor(() => app.get(AmqpServer).isConsuming(), 'the consumers');
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The properties that a well-formed message of the type has. */
export function properties(
  type: string,
  id: string,
): { type: string; messageId: string; contentType: string; headers: Record<string, unknown> } {
  return { type, messageId: id, contentType: 'application/json', headers: { cloudEvents_specversion: '1.0' } };
}
