import {
  ControlReplay,
  EditDeadLetter,
  GetReplay,
  ListReplays,
  ReplayDeadLetter,
  ReplayDeadLetters,
  type ReplayView,
} from '@reprise/contracts';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { MessageContext } from '@reprise/messaging';
import { ReplaysService } from './replays.service';

/** What is asked and told about replays. */
@Controller()
export class ReplaysController {
  constructor(private readonly replays: ReplaysService) {}

  @MessagePattern(GetReplay.type)
  get(@Payload() { replay_id }: GetReplay): Promise<ReplayView> {
    return this.replays.get(replay_id);
  }

  @MessagePattern(ListReplays.type)
  list(@Payload() query: ListReplays): Promise<{ replays: ReplayView[] }> {
    return this.replays.list(query);
  }

  @MessagePattern(ReplayDeadLetters.type)
  replayAll(@Payload() command: ReplayDeadLetters, @Ctx() message: MessageContext): Promise<ReplayView> {
    return this.replays.replayAll(command, message);
  }

  @MessagePattern(ReplayDeadLetter.type)
  replayOne(@Payload() command: ReplayDeadLetter, @Ctx() message: MessageContext): Promise<ReplayView> {
    return this.replays.replayOne(command, message);
  }

  @MessagePattern(EditDeadLetter.type)
  edit(@Payload() command: EditDeadLetter, @Ctx() message: MessageContext): Promise<ReplayView> {
    return this.replays.edit(command, message);
  }

  @MessagePattern(ControlReplay.type)
  control(@Payload() command: ControlReplay, @Ctx() message: MessageContext): Promise<ReplayView> {
    return this.replays.control(command, message);
  }
}
