import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { EXCHANGE, EXCHANGES, QUEUES } from '@reprise/contracts';
import { AmqpServer, assertExchanges, assertQueue } from '@reprise/messaging';
import { PlatformModule } from '@reprise/platform';
import { runMigrations } from '@reprise/platform/migrations';
import { type TestBroker, type TestDatabase, waitFor } from '../../../../libs/messaging/test/support';
import { DeadlettersConfig } from '../../src/deadletters.config';
import { DeadlettersModule } from '../../src/deadletters.module';
import { Drain } from '../../src/letters/drain';
import { MIGRATIONS, SCHEMA } from '../../src/migrations';

/** The whole service in this process, on a broker and a database of the test's own; it drains when this resolves. */
export async function startDeadletters(
  broker: TestBroker,
  database: TestDatabase,
  more: Partial<DeadlettersConfig> = {},
): Promise<INestApplication> {
  await assertExchanges(broker.channel, EXCHANGES);
  for (const queue of QUEUES) await assertQueue(broker.channel, queue, { names: EXCHANGE });
  await runMigrations({ url: database.url, schema: SCHEMA, migrations: MIGRATIONS, applicationName: 'test' });
  const config = Object.assign(new DeadlettersConfig(), {
    amqpUrl: broker.url,
    amqpUsers: 'shared',
    databaseUrl: database.url,
    databasePoolSize: 10,
    shutdownTimeoutSeconds: 10,
    replayRatePerSecond: 1_000,
    editDeadLetters: false,
    drainPrefetch: 20,
    ...more,
  });
  const module = await Test.createTestingModule({
    imports: [PlatformModule.forRoot({ config }), DeadlettersModule.forRoot(config)],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), { logger: process.env.TEST_LOG ? ['error', 'warn'] : false });
  app.connectMicroservice({ strategy: app.get(AmqpServer) });
  await app.init();
  await app.startAllMicroservices();
  await waitFor(() => app.get(AmqpServer).isConsuming() && app.get(Drain).isConsuming(), 'the consumers of deadletters');
  return app;
}
