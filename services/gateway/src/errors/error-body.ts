import type { RefusalBody } from '@reprise/contracts';
import { capText, capValue } from '@reprise/platform';

const MESSAGE_BYTES = 1_024;
/** With the message, and as JSON, an error has 16 KiB at most. */
const DETAILS_BYTES = 12 * 1_024;

/** The body of every error, on every path. */
export interface ErrorBody {
  error: RefusalBody & { request_id: string };
}

/** The refusal as it is answered: whatever of a request is in it is cut. */
export function errorBody({ code, message, details }: RefusalBody, requestId: string): ErrorBody {
  const kept = details ? { details: capValue(details, DETAILS_BYTES) as Record<string, unknown> } : {};
  return { error: { code, message: capText(message, MESSAGE_BYTES), request_id: requestId, ...kept } };
}
