import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { EXCHANGES } from '@reprise/contracts';
import { AmqpServer, assertExchanges } from '@reprise/messaging';
import { Clock, PlatformModule } from '@reprise/platform';
import { runMigrations } from '@reprise/platform/migrations';
import { type TestBroker, type TestDatabase, waitFor } from '../../../../libs/messaging/test/support';
import { BillingConfig } from '../../src/billing.config';
import { BillingModule } from '../../src/billing.module';
import { MIGRATIONS, SCHEMA } from '../../src/migrations';

/** The whole of billing in this process, on a broker and a database of the test's own; it is ready when this resolves. */
export async function startBilling(broker: TestBroker, database: TestDatabase, clock: Clock = new Clock()): Promise<INestApplication> {
  await assertExchanges(broker.channel, EXCHANGES);
  await runMigrations({ url: database.url, schema: SCHEMA, migrations: MIGRATIONS, applicationName: 'test' });
  const settings = {
    amqpUrl: broker.url,
    databaseUrl: database.url,
    databasePoolSize: 10,
    shutdownTimeoutSeconds: 10,
    amqpUsers: 'shared' as const,
  };
  const config = Object.assign(new BillingConfig(), settings);
  const module = await Test.createTestingModule({ imports: [PlatformModule.forRoot({ config }), BillingModule.forRoot(config)] })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
  app.connectMicroservice({ strategy: app.get(AmqpServer) });
  await app.init();
  await app.startAllMicroservices();
  await waitFor(() => app.get(AmqpServer).isConsuming(), 'the consumers of billing');
  return app;
}
