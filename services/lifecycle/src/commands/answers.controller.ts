import { FindIdempotentReply, Reply, refusal } from '@reprise/contracts';
import { MessageContext, RefusedError } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { WorkspacesRepository } from '../workspaces/workspaces.repository';
import { AnswersRepository } from './answers.repository';
import { orgOf } from './from-context';
import { mayTouch } from './visibility.rules';

/** Whether a caller's idempotency key has been answered. */
@Controller()
export class AnswersController {
  constructor(
    private readonly answers: AnswersRepository,
    private readonly workspaces: WorkspacesRepository,
  ) {}

  @MessagePattern(FindIdempotentReply.type)
  async find(
    @Payload() query: FindIdempotentReply,
    @Ctx() context: MessageContext,
  ): Promise<{ found: false } | { found: true; reply: Reply<object> }> {
    const orgId = orgOf(context);
    const remembered = await this.answers.byKey({ orgId, actor: query.caller.sub }, query.key);
    if (!remembered || !(await this.isReached(orgId, query))) return { found: false };
    if (remembered.request_hash !== query.request_hash) throw new RefusedError(refusal('idempotency_key_reused'));
    return { found: true, reply: remembered.reply };
  }

  /** A caller whose scope was narrowed since the first answer hears nothing of what another created. */
  private async isReached(orgId: string, { workspace_id: id, caller }: FindIdempotentReply): Promise<boolean> {
    if (id === undefined || !caller.own_only) return true;
    const workspace = await this.workspaces.find(orgId, id);
    return !workspace || mayTouch(caller, workspace.created_by_user_id);
  }
}
