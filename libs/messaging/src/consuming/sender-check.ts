import type { MessageSpec } from '../topology/catalog';
import type { MayReplyTo, MessageContext } from './message-context';
import { DeadLetter, type Refusal, RefusedError } from './outcome';

/** Whom a consumer believes; the contracts say it of the whole house. */
export interface SenderPolicy {
  /** Which broker users may send each type; null: there is one login for all, and nothing to check. */
  senders: ReadonlyMap<string, ReadonlySet<string>> | null;
  /** Which broker user answers a command or query of each type; null as above. */
  answerers: ReadonlyMap<string, string> | null;
  mayReplyTo: MayReplyTo;
  /** The refusal of a command without a sender. */
  unknownSender: Refusal;
}

/**
 * Whether its first sender may send the message. The broker's permissions are about exchanges and queues: whoever has a queue of his own can have the
 * broker move any message into most other queues, past all of them. What it cannot change is the `user-id`, so every consumer looks at that.
 * @throws DeadLetter `forbidden`; `unauthenticated` where no sender is known
 * @throws RefusedError for a command without a sender that wants a reply
 */
export function checkSender({ userId, replyTo, type }: MessageContext, spec: MessageSpec, policy: SenderPolicy | undefined): void {
  if (!policy?.senders) return;
  if (userId !== undefined) {
    if (!policy.senders.get(type)?.has(userId)) throw new DeadLetter('forbidden', `${userId} may not send ${type}`);
    return;
  }
  if (spec.kind === 'command' && spec.tellsRefusal) return;
  if (spec.kind === 'command' && replyTo !== undefined) throw new RefusedError(policy.unknownSender);
  throw new DeadLetter('unauthenticated', `${type} has no user-id`);
}
