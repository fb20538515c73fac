import type { IncomingMessage } from 'node:http';
import { AgentError } from '../errors';
import type { SnapshotLimits } from '../snapshot/limits';
import { assertContent } from './control-guard';

const LIMIT = 2 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * The body as a JSON object; an absent body is an empty one.
 * @param signed the digest that it must have, if any
 * @throws AgentError `bad_request`, `payload_too_large`, `unauthorized`
 */
export async function readJson(request: IncomingMessage, signed: string | null): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => request.destroy(), TIMEOUT_MS);
  try {
    // Without destroying the request when it is too long: the refusal is answered on its connection.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LIMIT) throw new AgentError('payload_too_large', `a body may have ${LIMIT} bytes at most`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  const body = Buffer.concat(chunks);
  assertContent(body, signed);
  if (size === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new AgentError('bad_request', 'the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AgentError('bad_request', 'the body must be a JSON object');
  return value as Record<string, unknown>;
}

/** A text of the body. @throws AgentError `bad_request` where it is missing, empty, too long, or no text */
export function textField(body: Record<string, unknown>, name: string, maxLength: number): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '' && value.length <= maxLength) return value;
  throw new AgentError('bad_request', `${name} must be a text of 1 to ${maxLength} characters`);
}

/** A whole number of the body, undefined where it is absent. @throws AgentError `bad_request` */
export function integerField(body: Record<string, unknown>, name: string, min: number, max: number): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new AgentError('bad_request', `${name} must be a whole number from ${min} to ${max}`);
}

/** What a snapshot may have at most, as whoever ordered it says. @throws AgentError `bad_request` */
export function limitsIn(given: (name: string) => unknown): SnapshotLimits {
  const limit = (name: string): number | undefined => integerField({ [name]: given(name) }, name, 1, Number.MAX_SAFE_INTEGER);
  return { entries: limit('max_entries'), bytes: limit('max_bytes'), depth: limit('max_depth') };
}
