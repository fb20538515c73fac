import {
  ArchiveWorkspace,
  CreateWorkspace,
  GetWorkspace,
  ListWorkspaces,
  RestartWorkspace,
  ResumeWorkspace,
  StopWithoutSnapshot,
  StopWorkspace,
  UnarchiveWorkspace,
} from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commandOf, orgOf, queryOf } from '../commands/from-context';
import { LifecycleConfig } from '../lifecycle.config';
import { WorkspacesService } from './workspaces.service';

@Controller()
export class WorkspacesController {
  constructor(
    private readonly workspaces: WorkspacesService,
    private readonly config: LifecycleConfig,
  ) {}

  @MessagePattern(CreateWorkspace.type)
  create(@Payload() data: CreateWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.create(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(RestartWorkspace.type)
  restart(@Payload() data: RestartWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.restart(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(StopWorkspace.type)
  stop(@Payload() data: StopWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.stop(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(StopWithoutSnapshot.type)
  stopWithoutSnapshot(@Payload() data: StopWithoutSnapshot, @Ctx() context: MessageContext) {
    return this.workspaces.stopWithoutSnapshot(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ResumeWorkspace.type)
  resume(@Payload() data: ResumeWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.resume(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ArchiveWorkspace.type)
  archive(@Payload() data: ArchiveWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.archive(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(UnarchiveWorkspace.type)
  unarchive(@Payload() data: UnarchiveWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.unarchive(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(GetWorkspace.type)
  get(@Payload() query: GetWorkspace, @Ctx() context: MessageContext) {
    return this.workspaces.get(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ListWorkspaces.type)
  list(@Payload() query: ListWorkspaces, @Ctx() context: MessageContext) {
    return this.workspaces.list(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }
}
