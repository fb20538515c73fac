import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { WaitingModule } from '../waiting/waiting.module';
import { OperationsController } from './operations.controller';
import { OperationsService } from './operations.service';

@Module({ imports: [CommandsModule, WaitingModule], controllers: [OperationsController], providers: [OperationsService] })
export class OperationsModule {}
