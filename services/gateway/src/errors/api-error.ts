import { type ErrorCode, httpStatusOf, type RefusalBody, refusal } from '@reprise/contracts';

/** The one error that an HTTP answer is made of. Anything else that is thrown is a crash and says nothing to the caller. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly refusal: RefusalBody,
    /** Headers that belong to the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(refusal.message, options);
  }

  get status(): number {
    return httpStatusOf(this.refusal.code);
  }
}

/** An error with the code's own sentence, or a more exact one. */
export function apiError(code: ErrorCode, details?: Record<string, unknown>, message?: string): ApiError {
  return new ApiError(refusal(code, details, message));
}

/** The request breaks its contract: what is wrong, by field. */
export function invalid(fields: Record<string, string>): ApiError {
  return apiError('validation_error', { fields });
}

/** Something that the answer needs cannot be reached now; in the code's own sentence, or a more exact one. */
export function unavailable(message?: string, cause?: unknown, retryAfterSeconds = 2): ApiError {
  return new ApiError(refusal('unavailable', undefined, message), { 'retry-after': String(retryAfterSeconds) }, { cause });
}

/**
 * No token, or one that is not good (RFC 6750, section 3).
 * @param problem what is wrong with the token; undefined where there is none
 */
export function unauthenticated(problem?: string, cause?: unknown): ApiError {
  const challenge =
    problem === undefined ? 'Bearer realm="reprise"' : `Bearer realm="reprise", error="invalid_token", error_description="${problem}"`;
  return new ApiError(refusal('unauthenticated', undefined, problem), { 'www-authenticate': challenge }, { cause });
}
