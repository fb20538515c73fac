import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { TasksController } from './tasks.controller';

@Module({ imports: [CommandsModule], controllers: [TasksController] })
export class TasksModule {}
