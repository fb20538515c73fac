import { EXCHANGE, EXCHANGES, EXCHANGE_OF, MESSAGES, QUEUE, queuesOf, senderPolicy, TRUSTED_REPUBLISHERS } from '@reprise/contracts';
import { AmqpServer, BrokerIndicator, MessagingModule, catalogOf } from '@reprise/messaging';
import { storeIn } from '@reprise/messaging/store';
import { HealthModule, databaseIndicator } from '@reprise/platform';
import { databaseModule } from '@reprise/platform/database';
import { DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AnswersController } from './commands/answers.controller';
import { AnswersRepository } from './commands/answers.repository';
import { CommandRunner } from './commands/command-runner';
import { FactRunner } from './commands/fact-runner';
import { LifecycleConfig } from './lifecycle.config';
import { FiguresRepository } from './metrics/figures.repository';
import { LifecycleMetrics } from './metrics/lifecycle-metrics';
import { MIGRATIONS, SCHEMA } from './migrations';
import { OperationEntity } from './operations/operation.entity';
import { OperationLoader } from './operations/operation-loader';
import { OperationsController } from './operations/operations.controller';
import { OperationsRepository } from './operations/operations.repository';
import { OperationsService } from './operations/operations.service';
import { StepsService } from './operations/steps.service';
import { PodFences } from './operations/pod-fences.service';
import { PodLosses } from './operations/pod-losses.service';
import { Watchdog } from './operations/watchdog';
import { OverviewController } from './overview/overview.controller';
import { OverviewRepository } from './overview/overview.repository';
import { Billing } from './posture/billing';
import { PostureModule } from './posture/posture.module';
import { ProviderEntity } from './providers/provider.entity';
import { ProvidersController } from './providers/providers.controller';
import { ProvidersRepository } from './providers/providers.repository';
import { ProvidersService } from './providers/providers.service';
import { RoleEntity } from './roles/role.entity';
import { RolesController } from './roles/roles.controller';
import { RolesRepository } from './roles/roles.repository';
import { RolesService } from './roles/roles.service';
import { TaskEntity } from './tasks/task.entity';
import { TaskWatch } from './tasks/task-watch.service';
import { TasksController } from './tasks/tasks.controller';
import { TasksRepository } from './tasks/tasks.repository';
import { TasksService } from './tasks/tasks.service';
import { UnitOfWork } from './transactions/unit-of-work';
import { WritesTogether } from './transactions/writes-together';
import { WorkspaceEntity } from './workspaces/workspace.entity';
import { WorkspacesController } from './workspaces/workspaces.controller';
import { WorkspacesRepository } from './workspaces/workspaces.repository';
import { AdoptedSnapshots } from './workspaces/adopted-snapshots.service';
import { CheckpointsService } from './workspaces/checkpoints.service';
import { WorkspaceOperations } from './workspaces/workspace-operations';
import { WorkspacesService } from './workspaces/workspaces.service';

/** The whole service: each feature's controller, service and repository, over one database and one broker. */
@Module({})
export class LifecycleModule {
  static forRoot(config: LifecycleConfig): DynamicModule {
    return {
      module: LifecycleModule,
      imports: [
        databaseModule({
          url: config.databaseUrl,
          caFile: config.databaseCaFile,
          schema: SCHEMA,
          applicationName: 'lifecycle',
          poolSize: config.databasePoolSize,
          entities: [WorkspaceEntity, OperationEntity, TaskEntity, RoleEntity, ProviderEntity],
          migrations: MIGRATIONS,
        }),
        MessagingModule.forRoot({
          store: storeIn(SCHEMA),
          url: config.amqpUrl,
          caFile: config.amqpCaFile,
          source: 'lifecycle',
          topology: { exchanges: EXCHANGES, queues: queuesOf('lifecycle') },
          names: EXCHANGE,
          trustedRepublishers: TRUSTED_REPUBLISHERS,
          senderPolicy: senderPolicy('lifecycle', config),
          catalog: catalogOf(MESSAGES, EXCHANGE_OF),
          consumers: [
            { queue: QUEUE.lifecycleCommands, prefetch: config.prefetch },
            { queue: QUEUE.lifecycleEvents, prefetch: config.prefetch },
            { queue: QUEUE.lifecycleQueries },
          ],
          drainTimeoutMs: (config.shutdownTimeoutSeconds - 2) * 1000,
          inboxRetentionDays: config.inboxRetentionDays,
        }),
        HealthModule.forRootAsync({
          imports: [PostureModule],
          inject: [BrokerIndicator, DataSource, AmqpServer, Billing],
          useFactory: (broker: BrokerIndicator, dataSource: DataSource, server: AmqpServer, billing: Billing) => [
            broker,
            databaseIndicator(dataSource, () => server.outage),
            billing,
          ],
        }),
        PostureModule,
      ],
      controllers: [
        WorkspacesController,
        OperationsController,
        TasksController,
        RolesController,
        ProvidersController,
        AnswersController,
        OverviewController,
      ],
      providers: [
        { provide: LifecycleConfig, useValue: config },
        AnswersRepository,
        CommandRunner,
        FactRunner,
        FiguresRepository,
        LifecycleMetrics,
        OperationsRepository,
        OperationLoader,
        OperationsService,
        StepsService,
        PodFences,
        PodLosses,
        OverviewRepository,
        ProvidersRepository,
        ProvidersService,
        RolesRepository,
        RolesService,
        TaskWatch,
        TasksRepository,
        TasksService,
        UnitOfWork,
        Watchdog,
        WorkspacesRepository,
        AdoptedSnapshots,
        CheckpointsService,
        WorkspaceOperations,
        WorkspacesService,
        WritesTogether,
      ],
    };
  }
}
