import { PodError, type PodErrorReason } from '../pod-driver';
import type { KubeStatus } from './kube-objects';

const LONGEST_DETAIL = 1_000;

/** A call to the API that did not do what was asked. */
export class KubeError extends Error {
  constructor(
    /** The HTTP status; null where there was no answer: a connection that failed, or none in time. */
    readonly status: number | null,
    /** The API's own word for it (`AlreadyExists`, `Forbidden`), where it gave one. */
    readonly reason: string,
    message: string,
    /** How long the API asks to wait before it is asked again; null where it does not. */
    readonly retryAfterMs: number | null = null,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'KubeError';
  }

  static ofAnswer(status: number, body: KubeStatus | null, retryAfter: string | undefined): KubeError {
    const cause = body?.details?.causes?.find((it) => it.reason === 'NamespaceTerminating')?.reason;
    const seconds = Number(retryAfter ?? body?.details?.retryAfterSeconds);
    const pause = (status === 429 || status === 503) && Number.isFinite(seconds) ? seconds * 1_000 : null;
    return new KubeError(status, cause ?? body?.reason ?? '', body?.message ?? `HTTP ${status}`, pause);
  }
}

/** The API's refusals, as the port's closed set; its own words are the detail. */
export function asPodError(error: unknown, doing: string): PodError {
  if (error instanceof PodError) return error;
  const { message } = error as Error;
  return new PodError(error instanceof KubeError ? reasonOf(error) : 'unavailable', detailOf(`${doing}: ${message}`), { cause: error });
}

/** Text of the back end, cut to what a record takes. */
export function detailOf(text: string): string {
  return text.length <= LONGEST_DETAIL ? text : `${text.slice(0, LONGEST_DETAIL - 1)}…`;
}

function reasonOf({ status, message }: KubeError): PodErrorReason {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return 'invalid_spec';
    case 403:
      // One status for three admission plugins and the authorizer; the words are theirs, and have not changed since 1.0.
      if (/exceeded quota|failed quota/.test(message)) return 'quota_exceeded';
      return /(maximum|minimum) (cpu|memory|ephemeral-storage)/.test(message) ? 'invalid_spec' : 'denied';
    case 401:
    case 404:
      // Of what is read, 404 is an answer; of a create it says that the namespace is not there.
      return 'denied';
    case 409:
      return 'locked';
    default:
      return 'unavailable';
  }
}
