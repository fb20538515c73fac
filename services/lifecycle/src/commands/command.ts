import type { Caller, Idempotency, RefusalBody } from '@reprise/contracts';

/** A command as the use cases see it: who asks, for whom, and what identifies the asking. The transport is left behind in the controller. */
export interface Command<T> {
  /** The message id: the command's own key. */
  id: string;
  type: string;
  /** The queue it came from: the consumer's name in the inbox. */
  consumer: string;
  /** SHA-256 of what makes the message the same message. */
  hash: Buffer;
  orgId: string;
  /** The caller's subject, or `service:<broker user>[/<on whose behalf>]`. */
  actor: string;
  correlationId: string;
  traceparent: string | undefined;
  /** Whether the sender waits for a reply. If not, the answer is told by an event. */
  wantsReply: boolean;
  /** Whether the gateway, which has asked for the tenant's posture, is the sender. The broker vouches for it. */
  postureChecked: boolean;
  /** Why its sender may not send it at all; null where he may. */
  barred: RefusalBody | null;
  data: T;
}

/** What every command's data may carry. */
export interface Common {
  caller?: Caller;
  idempotency?: Idempotency;
}

/** What a command to one workspace carries. */
export interface OnWorkspace extends Common {
  workspace_id: string;
}

/** A fact from another service, to be applied once. */
export interface Fact<T> {
  id: string;
  consumer: string;
  hash: Buffer;
  traceparent: string | undefined;
  data: T;
}
