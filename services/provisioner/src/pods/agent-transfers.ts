import type { ClientRequest, IncomingMessage } from 'node:http';
import { readJson, readLines } from './agent-answers';
import { notTheAgent, refusal } from './agent-client.errors';
import { ENCODING, isEncoding } from '../snapshots/encoding';
import type { SnapshotLimits } from '../snapshots/limits';
import { AgentError, type AgentUpload, type UploadTarget } from './agent-client.types';

/** The order with which an upload begins. */
export function uploadOrder({ partBytes }: UploadTarget, limits: SnapshotLimits): string {
  const { entries, bytes, depth } = limits;
  return JSON.stringify({ part_bytes: partBytes, encoding: ENCODING, max_entries: entries, max_bytes: bytes, max_depth: depth });
}

/** Speaks an upload through: each part that the agent has filled is given an address. @throws AgentError; what `addressOfPart` throws */
export async function speakUpload(
  request: ClientRequest,
  answered: Promise<IncomingMessage>,
  order: string,
  to: UploadTarget,
): Promise<AgentUpload> {
  const parts: { number: number; etag: string }[] = [];
  request.write(`${order}\n`);
  try {
    for await (const line of answerLines(await answered)) {
      const { want, part, etag, done } = line;
      if (typeof want === 'number') request.write(`${JSON.stringify({ part: want, address: await to.addressOfPart(want) })}\n`);
      if (typeof part === 'number' && typeof etag === 'string') parts.push({ number: part, etag });
      if (done !== undefined) return uploadIn(done, parts);
    }
  } finally {
    request.destroy();
  }
  throw new AgentError('broken', 'the upload came without its end');
}

/** Waits for the end of a download. @throws AgentError */
export async function speakDownload(
  request: ClientRequest,
  answered: Promise<IncomingMessage>,
  order: string,
  expected: { sha256: string },
): Promise<{ entries: number; bytes: number }> {
  request.end(order);
  try {
    for await (const { done } of answerLines(await answered)) {
      if (done === undefined) continue;
      const { entries, bytes, sha256 } = done as Record<string, unknown>;
      if (sha256 === expected.sha256 && typeof entries === 'number' && typeof bytes === 'number') return { entries, bytes };
      throw notTheAgent('its answer to download is not about this snapshot');
    }
  } finally {
    request.destroy();
  }
  throw new AgentError('broken', 'the download came without its end');
}

/** A failure after the first line is a line too, with the status that it would have had. */
async function* answerLines(response: IncomingMessage): AsyncGenerator<Record<string, unknown>> {
  if (response.statusCode !== 200) throw refusal(response.statusCode ?? 0, await readJson(response));
  for await (const line of readLines(response)) {
    if (line.error !== undefined) throw refusal(typeof line.status === 'number' ? line.status : 500, line);
    yield line;
  }
}

function uploadIn(done: unknown, parts: AgentUpload['parts']): AgentUpload {
  // An agent that names no encoding has not heard of any but the first that there was.
  const {
    sha256,
    entries,
    bytes,
    stored_sha256: storedSha256,
    stored_bytes: storedBytes,
    encoding = 'gzip',
  } = done as Record<string, unknown>;
  const known = isDigest(sha256) && isDigest(storedSha256) && isCount(entries) && isCount(bytes) && isCount(storedBytes);
  if (!known || !isEncoding(encoding)) throw notTheAgent('the end of its upload has another form');
  return { sha256, entries, bytes, storedSha256, storedBytes, encoding, parts };
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
