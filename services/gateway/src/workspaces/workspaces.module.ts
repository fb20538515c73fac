import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { OperatedWorkspacesController } from './operated-workspaces.controller';
import { WorkspacesController } from './workspaces.controller';

@Module({ imports: [CommandsModule], controllers: [WorkspacesController, OperatedWorkspacesController] })
export class WorkspacesModule {}
