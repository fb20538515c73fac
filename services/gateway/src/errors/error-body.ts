import type { RefusalBody } from '@reprise/contracts';

/** The body of every error, on every path. */
export interface ErrorBody {
  error: RefusalBody & { request_id: string };
}

/** The refusal as it is answered. */
export function errorBody({ code, message, details }: RefusalBody, requestId: string): ErrorBody {
  return { error: { code, message, request_id: requestId, ...(details ? { details } : {}) } };
}
