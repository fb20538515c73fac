import { ArchiveRole, ChangeRole, CreateRole, GetRole, ListRoles, UnarchiveRole } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commandOf, orgOf, queryOf } from '../commands/from-context';
import { LifecycleConfig } from '../lifecycle.config';
import { RolesService } from './roles.service';

@Controller()
export class RolesController {
  constructor(
    private readonly roles: RolesService,
    private readonly config: LifecycleConfig,
  ) {}

  @MessagePattern(CreateRole.type)
  create(@Payload() data: CreateRole, @Ctx() context: MessageContext) {
    return this.roles.create(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ChangeRole.type)
  change(@Payload() data: ChangeRole, @Ctx() context: MessageContext) {
    return this.roles.change(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ArchiveRole.type)
  archive(@Payload() data: ArchiveRole, @Ctx() context: MessageContext) {
    return this.roles.archive(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(UnarchiveRole.type)
  unarchive(@Payload() data: UnarchiveRole, @Ctx() context: MessageContext) {
    return this.roles.unarchive(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(GetRole.type)
  get(@Payload() query: GetRole, @Ctx() context: MessageContext) {
    return this.roles.get(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ListRoles.type)
  list(@Payload() query: ListRoles, @Ctx() context: MessageContext) {
    return this.roles.list(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }
}
