import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { ProvidersController } from './providers.controller';

@Module({ imports: [CommandsModule], controllers: [ProvidersController] })
export class ProvidersModule {}
