import type { ClientRequest, IncomingMessage } from 'node:http';
import { isByteCount, isCount, isDigest, isName, objectIn, readJson, readLines } from './agent-answers';
import { notTheAgent, refusal } from './agent-client.errors';
import { ENCODING, isEncoding } from '../snapshots/encoding';
import type { SnapshotLimits } from '../snapshots/limits';
import { AgentError, type AgentUpload, type UploadTarget } from './agent-client.types';

/** Stores give some dozens of characters. */
const LONGEST_ETAG = 1_024;

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
  /** By number; null where it was given an address and is not sent yet. */
  const parts = new Map<number, string | null>();
  request.write(`${order}\n`);
  try {
    for await (const line of answerLines(await answered)) {
      const { want, part, etag, done } = line;
      if (want !== undefined) {
        // In order, so that no more addresses are given than there are parts.
        if (!isCount(want) || want < 1 || want > parts.size + 1) throw notTheAgent('it wants an address of another part than comes next');
        request.write(`${JSON.stringify({ part: want, address: await to.addressOfPart(want) })}\n`);
        if (!parts.has(want)) parts.set(want, null);
      }
      if (part !== undefined) {
        if (!isCount(part) || !parts.has(part) || !isName(etag, LONGEST_ETAG))
          throw notTheAgent('it tells of a part that it was given no address of');
        parts.set(part, etag);
      }
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
      const { entries, bytes, sha256 } = objectIn(done, 'the end of its download');
      if (sha256 === expected.sha256 && isCount(entries) && isByteCount(bytes)) return { entries, bytes };
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
    if (line.error !== undefined) throw refusal(Number.isInteger(line.status) ? (line.status as number) : 500, line);
    yield line;
  }
}

function uploadIn(done: unknown, sent: ReadonlyMap<number, string | null>): AgentUpload {
  // An agent that names no encoding has not heard of any but the first that there was.
  const {
    sha256,
    entries,
    bytes,
    stored_sha256: storedSha256,
    stored_bytes: storedBytes,
    encoding = 'gzip',
  } = objectIn(done, 'the end of its upload');
  const known = isDigest(sha256) && isDigest(storedSha256) && isCount(entries) && isByteCount(bytes) && isByteCount(storedBytes);
  if (!known || !isEncoding(encoding)) throw notTheAgent('the end of its upload has another form');
  const parts = [...sent].flatMap(([number, etag]) => (etag === null ? [] : [{ number, etag }]));
  return { sha256, entries, bytes, storedSha256, storedBytes, encoding, parts };
}
