import { HttpException } from '@nestjs/common';
import { ApiError, apiError, invalid } from './api-error';

/** What each status that Nest or Fastify raises by itself means in our words. */
const BY_STATUS: Readonly<Record<number, () => ApiError>> = {
  400: () => invalid({ body: 'cannot be read' }),
  // A path below /docs that climbs out of it.
  403: () => apiError('route_not_found'),
  404: () => apiError('route_not_found'),
  405: () => apiError('route_not_found'),
  413: () => apiError('payload_too_large'),
  415: () => apiError('unsupported_media_type'),
};
/** Any other refusal by them: a range beyond the file, a condition that does not hold, a path that climbs. */
const UNREADABLE = (): ApiError => invalid({ request: 'cannot be answered' });

/** Whatever was thrown, as the error that is answered; undefined for what nobody meant to throw. */
export function toApiError(thrown: unknown): ApiError | undefined {
  if (thrown instanceof ApiError) return thrown;
  const status = statusOf(thrown);
  if (status === undefined) return undefined;
  return (BY_STATUS[status] ?? (status >= 400 && status < 500 ? UNREADABLE : undefined))?.();
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  // A body that broke off, for one, comes from Node's stream, and Fastify adds the status.
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
