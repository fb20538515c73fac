import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { CreatePod, RemovePod, ReplacePod } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { JobsService } from './jobs.service';

/** The commands that become jobs. They are acknowledged when the job is on record, long before it is done. */
@Controller()
export class JobsController {
  constructor(private readonly jobs: JobsService) {}

  @MessagePattern(CreatePod.type)
  create(@Payload() command: CreatePod, @Ctx() message: MessageContext): Promise<void> {
    return this.jobs.create(command, message);
  }

  @MessagePattern(ReplacePod.type)
  replace(@Payload() command: ReplacePod, @Ctx() message: MessageContext): Promise<void> {
    return this.jobs.replace(command, message);
  }

  @MessagePattern(RemovePod.type)
  remove(@Payload() command: RemovePod, @Ctx() message: MessageContext): Promise<void> {
    return this.jobs.remove(command, message);
  }
}
