import type { MessageClass } from '@reprise/contracts';
import { Injectable } from '@nestjs/common';
import { missingOf } from '../commands/ids.rules';
import { apiError } from '../errors/api-error';
import type { Asking } from '../input/ask.decorator';
import { RoundTrip } from '../messages/round-trip';

/** The one way in which an operator's route reaches the dead letters: nothing of it belongs to a tenant, and billing has no say. */
@Injectable()
export class Operators {
  constructor(private readonly roundTrip: RoundTrip) {}

  /**
   * What the message was answered with: the body of the HTTP answer.
   * @throws ApiError
   */
  async ask(message: MessageClass, { orgId, caller, idempotency }: Asking, data: object): Promise<unknown> {
    const missing = missingOf(data);
    if (missing) throw apiError(missing);
    return this.roundTrip.ask(message, { ...data, ...(idempotency ? { idempotency } : {}) }, { orgId, actor: caller.sub });
  }
}
