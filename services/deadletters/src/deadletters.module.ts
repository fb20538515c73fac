import { type DynamicModule, Module } from '@nestjs/common';
import { EXCHANGE, EXCHANGE_OF, EXCHANGES, MESSAGES, QUEUE, queuesOf, senderPolicy, TRUSTED_REPUBLISHERS } from '@reprise/contracts';
import { AmqpServer, BrokerIndicator, catalogOf, MessagingModule } from '@reprise/messaging';
import { storeIn } from '@reprise/messaging/store';
import { databaseIndicator, HealthModule } from '@reprise/platform';
import { databaseModule } from '@reprise/platform/database';
import { DataSource } from 'typeorm';
import type { DeadlettersConfig } from './deadletters.config';
import { Drain } from './letters/drain';
import { LettersModule } from './letters/letters.module';
import { MIGRATIONS, SCHEMA } from './migrations';
import { OverviewModule } from './overview/overview.module';
import { ReplaysModule } from './replays/replays.module';

const SERVICE = 'deadletters';

/** The dead letters: what no other service could handle, kept until an operator has decided. */
@Module({})
export class DeadlettersModule {
  static forRoot(config: DeadlettersConfig): DynamicModule {
    return {
      module: DeadlettersModule,
      imports: [
        databaseModule({
          url: config.databaseUrl,
          caFile: config.databaseCaFile,
          schema: SCHEMA,
          applicationName: SERVICE,
          poolSize: config.databasePoolSize,
          entities: [],
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
          consumers: [{ queue: QUEUE.deadlettersCommands }, { queue: QUEUE.deadlettersQueries }],
          drainTimeoutMs: config.shutdownTimeoutSeconds * 1000,
        }),
        HealthModule.forRootAsync({
          imports: [LettersModule],
          inject: [BrokerIndicator, DataSource, AmqpServer, Drain],
          useFactory: (broker: BrokerIndicator, dataSource: DataSource, server: AmqpServer, drain: Drain) => [
            broker,
            databaseIndicator(dataSource, () => server.outage ?? drain.outage),
            drain,
          ],
        }),
        LettersModule,
        ReplaysModule,
        OverviewModule,
      ],
    };
  }
}
