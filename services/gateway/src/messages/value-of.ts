import { isErrorCode, refusal } from '@reprise/contracts';
import type { Refusal, Reply } from '@reprise/messaging';
import { ApiError, unavailable } from '../errors/api-error';

/**
 * What a reply says.
 * @throws ApiError what it refuses with
 */
export function valueOf<T>(reply: Reply<T>): T {
  if (reply.status === 'done') return reply.value;
  throw refusalError(reply.refusal);
}

function refusalError({ code, message, details }: Refusal): Error {
  // A code outside the enum is a mistake of whoever sent it, and no answer for a caller.
  if (!isErrorCode(code)) return new Error(`A refusal with the unknown code ${code}: ${message}`);
  return code === 'unavailable' ? unavailable(message) : new ApiError(refusal(code, details, message));
}
