import { FindIdempotentReply, Reply, refusal } from '@reprise/contracts';
import { MessageContext, RefusedError } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { AnswersRepository } from './answers.repository';
import { orgOf } from './from-context';

/** Whether an idempotency key has been answered. */
@Controller()
export class AnswersController {
  constructor(private readonly answers: AnswersRepository) {}

  @MessagePattern(FindIdempotentReply.type)
  async find(
    @Payload() query: FindIdempotentReply,
    @Ctx() context: MessageContext,
  ): Promise<{ found: false } | { found: true; reply: Reply<object> }> {
    const remembered = await this.answers.byKey(orgOf(context), query.key);
    if (!remembered) return { found: false };
    if (remembered.request_hash !== query.request_hash) throw new RefusedError(refusal('idempotency_key_reused'));
    return { found: true, reply: remembered.reply };
  }
}
