import { createHash } from 'node:crypto';
import type { Idempotency } from '@reprise/contracts';
import { invalid } from '../errors/api-error';

const KEY = /^[\x20-\x7e]{1,255}$/;

/** What of a request makes it the same request. */
export interface KeyedRequest {
  method: string;
  /** With the ids in it, without the query. */
  path: string;
  query: unknown;
  body: unknown;
}

/**
 * The idempotency key of a request, with the hash that tells whether a repeated key comes with the same request; undefined without a key.
 * @throws ApiError `validation_error` for a key of the wrong form
 */
export function idempotencyOf(key: unknown, request: KeyedRequest): Idempotency | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) throw invalid({ 'Idempotency-Key': 'must be 1 to 255 printable ASCII characters' });
  return { key, request_hash: requestHash(request) };
}

/** SHA-256 of method, path, query and body; the order of fields, white space and an absent empty body make no difference. */
export function requestHash({ method, path, query, body }: KeyedRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, path, canonical(query ?? {}), canonical(body ?? {})]))
    .digest('hex');
}

function canonical(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  // As pairs rather than as an object, which would put keys that look like numbers first.
  return {
    fields: Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, canonical(each)]),
  };
}
