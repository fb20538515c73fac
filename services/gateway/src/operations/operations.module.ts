import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { Endings } from './endings';
import { OperationsController } from './operations.controller';
import { OperationsService } from './operations.service';

@Module({ imports: [CommandsModule], controllers: [OperationsController], providers: [OperationsService, Endings] })
export class OperationsModule {}
