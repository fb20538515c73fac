/** Every code that the agent answers with, and its status. The list is closed: docs/pod-contract.md explains each. */
export const AGENT_ERRORS = {
  bad_request: 400,
  unauthorized: 401,
  not_found: 404,
  method_not_allowed: 405,
  busy: 409,
  not_ready: 409,
  not_starting: 409,
  not_quiesced: 409,
  restore_in_progress: 409,
  salvage_only: 409,
  payload_too_large: 413,
  snapshot_too_large: 413,
  bad_archive: 422,
  digest_mismatch: 422,
  internal_error: 500,
  store_failed: 502,
  store_unreachable: 502,
  no_space: 507,
} as const;

export type AgentErrorCode = keyof typeof AGENT_ERRORS;

/** A request that is answered with an error. */
export class AgentError extends Error {
  /** What a program can act on, beside the code. */
  readonly details?: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: AgentErrorCode,
    message: string,
    options?: { cause?: unknown; details?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options);
    this.name = 'AgentError';
    this.details = options?.details;
  }

  get status(): number {
    return AGENT_ERRORS[this.code];
  }
}

/** An error as it stands in an answer. */
export function errorBody({ code, message, details }: AgentError): Record<string, unknown> {
  return { code, message, ...(details ? { details } : {}) };
}
