import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { WorkspacesController } from './workspaces.controller';

@Module({ imports: [CommandsModule], controllers: [WorkspacesController] })
export class WorkspacesModule {}
