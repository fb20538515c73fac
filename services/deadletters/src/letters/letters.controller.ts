import {
  type DeadLetterGroupView,
  type DeadLetterView,
  type DeadLetterWhole,
  DiscardDeadLetter,
  DiscardDeadLetters,
  GetDeadLetter,
  ListDeadLetterGroups,
  ListDeadLetters,
} from '@reprise/contracts';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { MessageContext } from '@reprise/messaging';
import { LettersService } from './letters.service';

/** What is asked and told about dead letters. */
@Controller()
export class LettersController {
  constructor(private readonly letters: LettersService) {}

  @MessagePattern(ListDeadLetters.type)
  list(@Payload() query: ListDeadLetters, @Ctx() message: MessageContext): Promise<{ dead_letters: DeadLetterView[] }> {
    return this.letters.list(query, message);
  }

  @MessagePattern(ListDeadLetterGroups.type)
  groups(@Payload() query: ListDeadLetterGroups, @Ctx() message: MessageContext): Promise<{ groups: DeadLetterGroupView[] }> {
    return this.letters.groups(query, message);
  }

  @MessagePattern(GetDeadLetter.type)
  show(@Payload() { dead_letter_id }: GetDeadLetter, @Ctx() message: MessageContext): Promise<DeadLetterWhole> {
    return this.letters.show(dead_letter_id, message);
  }

  @MessagePattern(DiscardDeadLetter.type)
  discardOne(@Payload() command: DiscardDeadLetter, @Ctx() message: MessageContext): Promise<DeadLetterView> {
    return this.letters.discardOne(command, message);
  }

  @MessagePattern(DiscardDeadLetters.type)
  discardAll(@Payload() command: DiscardDeadLetters, @Ctx() message: MessageContext): Promise<{ discarded: number }> {
    return this.letters.discardAll(command, message);
  }
}
