import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { EXCHANGE, EXCHANGE_OF, EXCHANGES, MESSAGES, QUEUE, queuesOf, senderPolicy, TRUSTED_REPUBLISHERS } from '@reprise/contracts';
import { AmqpServer, BrokerIndicator, catalogOf, MessagingModule } from '@reprise/messaging';
import { storeIn } from '@reprise/messaging/store';
import { databaseIndicator, HealthModule } from '@reprise/platform';
import { databaseModule } from '@reprise/platform/database';
import type { DataSource } from 'typeorm';
import { AdoptionModule } from './adoption/adoption.module';
import { CheckpointsModule } from './checkpoints/checkpoints.module';
import { JobsModule } from './jobs/jobs.module';
import { MetricsModule } from './metrics/metrics.module';
import { MIGRATIONS, SCHEMA } from './migrations';
import { OverviewModule } from './overview/overview.module';
import { KeysModule } from './pods/keys.module';
import { PortsModule } from './ports/ports.module';
import { ProvisionerConfig } from './provisioner.config';
import { ReconcilerModule } from './reconciler/reconciler.module';
import { RetentionModule } from './retention/retention.module';
import { StoreCheck } from './store-check/store-check';
import { StoreCheckModule } from './store-check/store-check.module';
import { TasksModule } from './tasks/tasks.module';
import { WorkerModule } from './worker/worker.module';

/** The whole service. `ports` can be given another module that provides the ports, by a test. */
@Module({})
export class ProvisionerModule {
  static forRoot(config: ProvisionerConfig, ports: Type | DynamicModule = PortsModule): DynamicModule {
    return {
      module: ProvisionerModule,
      imports: [
        databaseModule({
          url: config.databaseUrl,
          caFile: config.databaseCaFile,
          schema: SCHEMA,
          applicationName: 'provisioner',
          poolSize: config.databasePoolSize,
          migrations: MIGRATIONS,
        }),
        MessagingModule.forRoot({
          store: storeIn(SCHEMA),
          url: config.amqpUrl,
          caFile: config.amqpCaFile,
          source: 'provisioner',
          topology: { exchanges: EXCHANGES, queues: queuesOf('provisioner') },
          names: { retry: EXCHANGE.retry, dead: EXCHANGE.dead },
          trustedRepublishers: TRUSTED_REPUBLISHERS,
          senderPolicy: senderPolicy('provisioner', config),
          catalog: catalogOf(MESSAGES, EXCHANGE_OF),
          consumers: [{ queue: QUEUE.provisionerCommands, prefetch: config.prefetch }, { queue: QUEUE.provisionerQueries }],
          drainTimeoutMs: config.shutdownTimeoutSeconds * 1_000,
          inboxRetentionDays: config.inboxRetentionDays,
        }),
        HealthModule.forRootAsync({
          imports: [StoreCheckModule],
          inject: [BrokerIndicator, getDataSourceToken(), AmqpServer, StoreCheck],
          useFactory: (broker: BrokerIndicator, dataSource: DataSource, server: AmqpServer, store: StoreCheck) => [
            databaseIndicator(dataSource, () => server.outage),
            broker,
            store,
          ],
        }),
        KeysModule,
        ports,
        MetricsModule,
        JobsModule,
        WorkerModule,
        TasksModule,
        CheckpointsModule,
        ReconcilerModule,
        RetentionModule,
        AdoptionModule,
        OverviewModule,
      ],
    };
  }
}
