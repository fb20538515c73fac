import { capText, capValue } from '@reprise/platform';

/** What a message holds may be part of why it is refused or dead, which goes into log lines, headers, rows and replies. */
const LONGEST_REASON_BYTES = 2 * 1024;
const DETAILS_BYTES = 8 * 1024;

/** A business answer: why a command or a query is refused. Travels as it is, in a reply or in an event. */
export interface Refusal {
  code: string;
  message: string;
  details?: Record<string, unknown>;
}

/** Ends a handler with a refusal: the message is acknowledged, the asker gets the refusal, nothing is tried again. */
export class RefusedError extends Error implements Refusal {
  readonly code: string;
  readonly details?: Record<string, unknown>;

  constructor({ code, message, details }: Refusal) {
    super(capText(message, LONGEST_REASON_BYTES));
    this.code = code;
    if (details) this.details = capValue(details, DETAILS_BYTES) as Record<string, unknown>;
  }

  get refusal(): Refusal {
    const { code, message, details } = this;
    return details ? { code, message, details } : { code, message };
  }
}

/** Ends a handler with a wish to be called again after the next delay. Any unknown error means the same, but is logged as an error. */
export class RetryLater extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Ends a handler since another service that it has to ask does not answer: it is called again every few seconds, and no attempt is counted. */
export class WaitFor extends Error {
  constructor(
    readonly dependency: string,
    options?: ErrorOptions,
  ) {
    super(`${dependency} does not answer`, options);
  }
}

/** Why a message is among the dead letters: one of ours, or a handler's own word. */
export type DeadReason =
  | ('unparseable' | 'invalid' | 'no_handler' | 'forbidden' | 'unauthenticated')
  | ('retries_exhausted' | 'message_id_reused')
  | (string & {});

/** Ends a handler for good: the message goes to the dead letters at once, with this reason. */
export class DeadLetter extends Error {
  constructor(
    readonly reason: DeadReason,
    message: string = reason,
    options?: ErrorOptions,
  ) {
    super(capText(message, LONGEST_REASON_BYTES), options);
  }
}

/** How the handling of one message has ended. */
export type Outcome =
  | { end: 'done'; value: unknown }
  | { end: 'refused'; refusal: Refusal }
  | { end: 'retry'; error: Error; expected: boolean }
  | { end: 'wait'; error: WaitFor }
  | { end: 'dead'; reason: DeadReason; error: Error };

/** The outcome that an error thrown by a handler means. */
export function outcomeOf(thrown: unknown): Exclude<Outcome, { end: 'done' }> {
  if (thrown instanceof RefusedError) return { end: 'refused', refusal: thrown.refusal };
  if (thrown instanceof DeadLetter) return { end: 'dead', reason: thrown.reason, error: thrown };
  if (thrown instanceof WaitFor) return { end: 'wait', error: thrown };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { end: 'retry', error, expected: error instanceof RetryLater };
}
