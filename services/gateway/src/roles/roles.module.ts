import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { RoleSecrets } from './role-secrets.service';
import { RolesController } from './roles.controller';

@Module({ imports: [CommandsModule], controllers: [RolesController], providers: [RoleSecrets] })
export class RolesModule {}
