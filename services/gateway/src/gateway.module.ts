import { Module } from '@nestjs/common';
import { BrokerIndicator } from '@reprise/messaging';
import { HealthModule } from '@reprise/platform';
import { AgentsModule } from './agents/agents.module';
import { AuthModule } from './auth/auth.module';
import { DeadLettersModule } from './dead-letters/dead-letters.module';
import { MessagesModule } from './messages/messages.module';
import { OperationsModule } from './operations/operations.module';
import { ProvidersModule } from './providers/providers.module';
import { RolesModule } from './roles/roles.module';
import { TasksModule } from './tasks/tasks.module';
import { WorkspacesModule } from './workspaces/workspaces.module';

/** The gateway: who the caller is, which scope a route needs, whether billing allows it. It keeps nothing and decides nothing of lifecycle's. */
@Module({
  imports: [
    MessagesModule,
    HealthModule.forRootAsync({ inject: [BrokerIndicator], useFactory: (broker: BrokerIndicator) => [broker] }),
    AuthModule,
    WorkspacesModule,
    OperationsModule,
    TasksModule,
    RolesModule,
    ProvidersModule,
    AgentsModule,
    DeadLettersModule,
  ],
})
export class GatewayModule {}
