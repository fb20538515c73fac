import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { EXCHANGES } from '@reprise/contracts';
import { AmqpServer, assertExchanges } from '@reprise/messaging';
import { Clock, PlatformModule } from '@reprise/platform';
import { runMigrations } from '@reprise/platform/migrations';
import { type TestBroker, type TestDatabase, waitFor } from '../../../../libs/messaging/test/support';
import { LifecycleConfig } from '../../src/lifecycle.config';
import { LifecycleModule } from '../../src/lifecycle.module';
import { MIGRATIONS, SCHEMA } from '../../src/migrations';

/** The whole of lifecycle in this process, on a broker and a database of the test's own; it is ready when this resolves. */
export async function startLifecycle(
  broker: TestBroker,
  database: TestDatabase,
  clock: Clock,
  over: Partial<LifecycleConfig> = {},
): Promise<INestApplication> {
  await assertExchanges(broker.channel, EXCHANGES);
  const schemas = await database.connect(SCHEMA);
  await schemas.destroy();
  await runMigrations({ url: database.url, schema: SCHEMA, migrations: MIGRATIONS, applicationName: 'test' });
  const config = Object.assign(new LifecycleConfig(), {
    amqpUrl: broker.url,
    amqpUsers: 'shared',
    databaseUrl: database.url,
    databasePoolSize: 20,
    shutdownTimeoutSeconds: 10,
    gatewayAmqpUser: new URL(broker.url).username,
    operationDeadlineSeconds: 600,
    operationResendSeconds: 30,
    taskGraceSeconds: 60,
    watchdogIntervalSeconds: 1,
    defaultTaskTimeoutSeconds: 3600,
    defaultIdleTimeoutSeconds: 0,
    podLostResumesPerHour: 3,
    roleMaxCpus: 16,
    roleMaxMemoryMb: 65_536,
    roleMaxPids: 16_384,
    roleMaxDiskMb: 1_048_576,
    roleImagePrefixes: [],
    idempotencyRetentionHours: 24,
    inboxRetentionDays: 30,
    prefetch: 64,
    ...over,
  });
  const module = await Test.createTestingModule({ imports: [PlatformModule.forRoot({ config }), LifecycleModule.forRoot(config)] })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
  app.connectMicroservice({ strategy: app.get(AmqpServer) });
  await app.init();
  await app.startAllMicroservices();
  await waitFor(() => app.get(AmqpServer).isConsuming(), 'the consumers of lifecycle');
  return app;
}
