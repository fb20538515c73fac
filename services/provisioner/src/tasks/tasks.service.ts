import { Injectable, Logger } from '@nestjs/common';
import { type InterruptTask, type RunTask, TaskDelivered, TaskDeliveryFailed } from '@reprise/contracts';
import type { MessageContext, OutgoingMessage } from '@reprise/messaging';
import { addToContext } from '@reprise/platform';
import { type Delivery, TaskDelivery } from './task-delivery';
import { TasksRepository } from './tasks.repository';

/** Hands tasks to pods and tells what came of it. What a task does then the agent reports to the gateway itself. */
@Injectable()
export class TasksService {
  private readonly logger = new Logger(TasksService.name);

  constructor(
    private readonly delivery: TaskDelivery,
    private readonly tasks: TasksRepository,
  ) {}

  /** The pod is asked before the answer is recorded: a crash between the two asks it again, which the agent takes for the same task. */
  async run(command: RunTask, message: MessageContext): Promise<void> {
    addToContext({ workspaceId: command.workspace_id });
    const delivery = await this.delivery.deliver(command);
    if (!delivery.delivered) this.logger.warn(`Task ${command.task_id} was not delivered: ${delivery.reason}`);
    const interrupted = await this.tasks.record(message, command.task_id, eventOf(command, delivery, message));
    if (interrupted && delivery.delivered) await this.delivery.interrupt({ ...command, reason: 'cancelled_by_user' });
  }

  /**
   * May overtake the task's delivery, of which the pod then knows nothing yet. So it is remembered first, and the delivery looks afterwards:
   * whichever comes second ends the task.
   */
  async interrupt(command: InterruptTask): Promise<void> {
    addToContext({ workspaceId: command.workspace_id });
    await this.delivery.mustBePlausible(command);
    await this.tasks.interrupted(command.task_id);
    await this.delivery.interrupt(command);
  }
}

function eventOf({ workspace_id, pod_generation, task_id }: RunTask, delivery: Delivery, message: MessageContext): OutgoingMessage {
  const about = { workspace_id, pod_generation, task_id };
  return {
    type: delivery.delivered ? TaskDelivered.type : TaskDeliveryFailed.type,
    data: delivery.delivered ? about : { ...about, reason: delivery.reason },
    subject: workspace_id,
    orgId: message.orgId,
    actor: message.actor,
    correlationId: message.correlationId,
  };
}
