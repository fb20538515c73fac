import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { CheckpointPod } from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { Checkpoints } from './checkpoints.service';

@Controller()
export class CheckpointsController {
  constructor(private readonly checkpoints: Checkpoints) {}

  @MessagePattern(CheckpointPod.type)
  take(@Payload() command: CheckpointPod, @Ctx() message: MessageContext): void {
    this.checkpoints.begin(command, message);
  }
}
