import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { InterruptTask, RunTask } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { TasksService } from './tasks.service';

/** The commands to live pods. */
@Controller()
export class TasksController {
  constructor(private readonly tasks: TasksService) {}

  @MessagePattern(RunTask.type)
  run(@Payload() command: RunTask, @Ctx() message: MessageContext): Promise<void> {
    return this.tasks.run(command, message);
  }

  @MessagePattern(InterruptTask.type)
  interrupt(@Payload() command: InterruptTask): Promise<void> {
    return this.tasks.interrupt(command);
  }
}
