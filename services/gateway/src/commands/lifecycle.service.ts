import { Injectable } from '@nestjs/common';
import { FindIdempotentReply, type LifecycleCommand, type LifecycleQuery, type MessageClass, type Reply } from '@reprise/contracts';
import { addToContext } from '@reprise/platform';
import { PostureService } from '../billing/posture.service';
import { ApiError, apiError } from '../errors/api-error';
import type { Asking } from '../input/ask.decorator';
import { RoundTrip } from '../messages/round-trip';
import { valueOf } from '../messages/value-of';
import { missingOf } from './ids.rules';

/** A command without what the gateway itself puts into each. */
type CommandData<C extends LifecycleCommand> = Omit<C, 'caller' | 'idempotency'>;
type QueryData<Q extends LifecycleQuery> = Omit<Q, 'caller'>;

/** The one way in which a route reaches lifecycle: billing is asked where the route adds, then the ids, then lifecycle decides the rest. */
@Injectable()
export class Lifecycle {
  constructor(
    private readonly roundTrip: RoundTrip,
    private readonly posture: PostureService,
  ) {}

  /**
   * What the command was answered with: the body of the HTTP answer.
   * @throws ApiError
   */
  async command<C extends LifecycleCommand>(message: MessageClass<C>, asking: Asking, data: CommandData<C>): Promise<unknown> {
    try {
      if (asking.adds) await this.posture.mustAllow(asking.orgId);
    } catch (error) {
      return this.answeredBefore(asking, data, error);
    }
    const { caller, idempotency } = asking;
    return this.ask(message, asking, { ...data, caller, ...(idempotency ? { idempotency } : {}) });
  }

  /** @throws ApiError */
  async query<Q extends LifecycleQuery, T = unknown>(message: MessageClass<Q>, asking: Asking, data: QueryData<Q>): Promise<T> {
    return this.ask<T>(message, asking, { ...data, caller: asking.caller });
  }

  private async ask<T>(message: MessageClass, { orgId, caller }: Asking, data: object): Promise<T> {
    const missing = missingOf(data);
    if (missing) throw apiError(missing);
    const { workspace_id: workspaceId } = data as { workspace_id?: string };
    addToContext({ workspaceId });
    const answer = await this.roundTrip.ask<T>(message, data, { orgId, actor: caller.sub });
    const { operation_id: operationId } = (answer ?? {}) as { operation_id?: string };
    addToContext({ operationId });
    return answer;
  }

  /**
   * The first answer to a key stands, whatever billing says by now: it is given again.
   * @throws what billing said, where this request was not answered before
   */
  private async answeredBefore({ orgId, caller, idempotency }: Asking, data: object, refused: unknown): Promise<unknown> {
    if (!idempotency) throw refused;
    const { workspace_id } = data as { workspace_id?: string };
    // One that no workspace can have is refused for itself, once billing lets it come so far.
    const about = workspace_id === undefined || missingOf({ workspace_id }) ? {} : { workspace_id };
    const found = await this.roundTrip
      .ask<{ found: false } | { found: true; reply: Reply }>(
        FindIdempotentReply,
        { ...idempotency, ...about, caller },
        { orgId, actor: caller.sub },
      )
      .catch((error: unknown) => {
        // The key came with another request: that one's answer is no answer to this.
        if (error instanceof ApiError && error.refusal.code === 'idempotency_key_reused') throw refused;
        throw error;
      });
    if (!found.found) throw refused;
    return valueOf(found.reply);
  }
}
