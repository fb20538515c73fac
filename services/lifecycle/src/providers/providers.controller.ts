import { ArchiveProvider, ChangeProvider, CreateProvider, GetProvider, ListProviders, UnarchiveProvider } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commandOf, orgOf, queryOf } from '../commands/from-context';
import { LifecycleConfig } from '../lifecycle.config';
import { ProvidersService } from './providers.service';

@Controller()
export class ProvidersController {
  constructor(
    private readonly providers: ProvidersService,
    private readonly config: LifecycleConfig,
  ) {}

  @MessagePattern(CreateProvider.type)
  create(@Payload() data: CreateProvider, @Ctx() context: MessageContext) {
    return this.providers.create(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ChangeProvider.type)
  change(@Payload() data: ChangeProvider, @Ctx() context: MessageContext) {
    return this.providers.change(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ArchiveProvider.type)
  archive(@Payload() data: ArchiveProvider, @Ctx() context: MessageContext) {
    return this.providers.archive(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(UnarchiveProvider.type)
  unarchive(@Payload() data: UnarchiveProvider, @Ctx() context: MessageContext) {
    return this.providers.unarchive(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(GetProvider.type)
  get(@Payload() query: GetProvider, @Ctx() context: MessageContext) {
    return this.providers.get(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ListProviders.type)
  list(@Payload() query: ListProviders, @Ctx() context: MessageContext) {
    return this.providers.list(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }
}
