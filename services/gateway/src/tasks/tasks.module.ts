import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { WaitingModule } from '../waiting/waiting.module';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';

@Module({ imports: [CommandsModule, WaitingModule], controllers: [TasksController], providers: [TasksService] })
export class TasksModule {}
