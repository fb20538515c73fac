import { type DynamicModule, Module } from '@nestjs/common';
import { EXCHANGE, EXCHANGE_OF, EXCHANGES, MESSAGES, QUEUE, queuesOf, senderPolicy, TRUSTED_REPUBLISHERS } from '@reprise/contracts';
import { AmqpServer, BrokerIndicator, catalogOf, MessagingModule } from '@reprise/messaging';
import { storeIn } from '@reprise/messaging/store';
import { databaseIndicator, HealthModule } from '@reprise/platform';
import { databaseModule } from '@reprise/platform/database';
import { DataSource } from 'typeorm';
import { BillingConfig } from './billing.config';
import { MIGRATIONS, SCHEMA } from './migrations';
import { OverviewModule } from './overview/overview.module';
import { TenantEntity } from './tenants/tenant.entity';
import { TenantsModule } from './tenants/tenants.module';

const SERVICE = 'billing';

/** Billing: its tenants, on the house's database, messaging and health. */
@Module({})
export class BillingModule {
  static forRoot(config: BillingConfig): DynamicModule {
    return {
      module: BillingModule,
      imports: [
        databaseModule({
          url: config.databaseUrl,
          caFile: config.databaseCaFile,
          schema: SCHEMA,
          applicationName: SERVICE,
          poolSize: config.databasePoolSize,
          entities: [TenantEntity],
          migrations: MIGRATIONS,
        }),
        MessagingModule.forRoot({
          url: config.amqpUrl,
          caFile: config.amqpCaFile,
          source: SERVICE,
          store: storeIn(SCHEMA),
          topology: { exchanges: EXCHANGES, queues: queuesOf(SERVICE) },
          names: EXCHANGE,
          trustedRepublishers: TRUSTED_REPUBLISHERS,
          senderPolicy: senderPolicy(SERVICE, config),
          catalog: catalogOf(MESSAGES, EXCHANGE_OF),
          consumers: [{ queue: QUEUE.billingCommands }, { queue: QUEUE.billingQueries }],
          drainTimeoutMs: config.shutdownTimeoutSeconds * 1000,
        }),
        HealthModule.forRootAsync({
          inject: [BrokerIndicator, DataSource, AmqpServer],
          useFactory: (broker: BrokerIndicator, dataSource: DataSource, server: AmqpServer) => [
            broker,
            databaseIndicator(dataSource, () => server.outage),
          ],
        }),
        TenantsModule,
        OverviewModule,
      ],
    };
  }
}
