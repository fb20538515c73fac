import { RefusalBody, SENDER_UNKNOWN, refusal, serviceRequester } from '@reprise/contracts';
import type { Common } from './command';

/**
 * Who sends a command, by the broker user that the broker has checked:
 * the gateway speaks for a caller of REST whose token it has verified; a service speaks for itself; nobody said who it is.
 */
export type Sender = 'gateway' | 'service' | 'nobody';

/** What only the gateway may say in a command's data: it has read it in a verified token or in a request's headers. */
const GATEWAYS_OWN = ['caller', 'idempotency'] as const satisfies readonly (keyof Common)[];

/** What the broker and the message say about its origin. */
export interface Origin {
  userId: string | undefined;
  /** The header's claim on whose behalf the sender acts. */
  actor: string | undefined;
}

/** Who sends it. Where all share one login the caller tells the gateway's commands from others, as well as can be. Pure. */
export function senderOf(data: Common, { userId }: Origin, gatewayUser: string): Sender {
  if (userId === undefined) return 'nobody';
  return userId === gatewayUser && data.caller ? 'gateway' : 'service';
}

/** The name under which the asking is recorded; see `serviceRequester`. Pure. */
export function requestedBy(data: Common, origin: Origin, sender: Sender): string {
  if (sender === 'gateway' && data.caller) return data.caller.sub;
  return serviceRequester(origin.userId ?? 'unknown', origin.actor);
}

/** Why a command of this sender is refused before any rule is asked; null where it is not. Pure. */
export function senderRefusal(data: Common, sender: Sender): RefusalBody | null {
  if (sender === 'gateway') return null;
  if (sender === 'nobody') return SENDER_UNKNOWN;
  const claimed = GATEWAYS_OWN.filter((field) => data[field] !== undefined);
  if (claimed.length === 0) return null;
  return refusal('validation_error', { fields: Object.fromEntries(claimed.map((field) => [field, 'only the gateway may send this'])) });
}
