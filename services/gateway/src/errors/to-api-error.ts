import { HttpException } from '@nestjs/common';
import { ApiError, apiError, invalid } from './api-error';

/** What each status that Nest or Fastify raises by itself means in our words. */
const BY_STATUS: Readonly<Record<number, () => ApiError>> = {
  400: () => invalid({ body: 'cannot be read' }),
  404: () => apiError('route_not_found'),
  405: () => apiError('route_not_found'),
  413: () => apiError('payload_too_large'),
  415: () => apiError('unsupported_media_type'),
};

/** Whatever was thrown, as the error that is answered; undefined for what nobody meant to throw. */
export function toApiError(thrown: unknown): ApiError | undefined {
  if (thrown instanceof ApiError) return thrown;
  const status = statusOf(thrown);
  return status === undefined ? undefined : BY_STATUS[status]?.();
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  // A body that broke off, for one, comes from Node's stream, and Fastify adds the status.
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
