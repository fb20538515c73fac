import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { RolesController } from './roles.controller';

@Module({ imports: [CommandsModule], controllers: [RolesController] })
export class RolesModule {}
