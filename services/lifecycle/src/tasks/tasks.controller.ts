import { CancelTask, GetTask, ListTasks, ReportTask, SubmitTask, TaskDelivered, TaskDeliveryFailed } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { commandOf, factOf, orgOf, queryOf } from '../commands/from-context';
import { LifecycleConfig } from '../lifecycle.config';
import { TasksService } from './tasks.service';

@Controller()
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly config: LifecycleConfig,
  ) {}

  @MessagePattern(SubmitTask.type)
  submit(@Payload() data: SubmitTask, @Ctx() context: MessageContext) {
    return this.tasks.submit(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(CancelTask.type)
  cancel(@Payload() data: CancelTask, @Ctx() context: MessageContext) {
    return this.tasks.cancel(commandOf(data, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ReportTask.type)
  report(@Payload() data: ReportTask, @Ctx() context: MessageContext) {
    return this.tasks.report(factOf(data, context));
  }

  @EventPattern(TaskDelivered.type)
  delivered(@Payload() data: TaskDelivered, @Ctx() context: MessageContext): Promise<void> {
    return this.tasks.delivered(factOf(data, context));
  }

  @EventPattern(TaskDeliveryFailed.type)
  deliveryFailed(@Payload() data: TaskDeliveryFailed, @Ctx() context: MessageContext): Promise<void> {
    return this.tasks.deliveryFailed(factOf(data, context));
  }

  @MessagePattern(GetTask.type)
  get(@Payload() query: GetTask, @Ctx() context: MessageContext) {
    return this.tasks.get(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ListTasks.type)
  list(@Payload() query: ListTasks, @Ctx() context: MessageContext) {
    return this.tasks.list(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }
}
