import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Agent } from '../agent';
import { AgentError } from '../errors';
import { codeOf } from '../log';
import type { SnapshotLimits } from '../snapshot/limits';
import { compressor, decompressor, type Encoding, encodingIn, isUnreadable } from '../store/encoding';
import { PartSender } from '../store/part-sender';
import { openObject, sendPart } from '../store/store-client';
import { integerField, limitsIn, readJson, textField } from './body';
import { LineAnswer, linesOf } from './lines';
import type { Route } from './routes';

const MAX_PART_BYTES = 512 * 1024 * 1024;
const MAX_ADDRESS = 16 * 1024;

/** Transfers between the pod and the store, past the provisioner. */
export function directRoutes(agent: Agent): Route[] {
  return [
    {
      method: 'POST',
      path: /^\/v1\/snapshot\/upload$/,
      handle: (request, response, { content }) => upload(agent, request, response, content),
    },
    {
      method: 'POST',
      path: /^\/v1\/restore\/download$/,
      handle: (request, response, { content }) => download(agent, request, response, content),
    },
  ];
}

/** A dialogue: the agent wants an address for each part as it is filled, and is given one. */
async function upload(agent: Agent, request: IncomingMessage, response: ServerResponse, signed: string | null): Promise<void> {
  const incoming = linesOf(request, signed);
  const order = await next(incoming);
  const encoding = encodingIn(order);
  const partBytes = integerField(order, 'part_bytes', 1, MAX_PART_BYTES);
  if (partBytes === undefined) throw new AgentError('bad_request', 'part_bytes is missing');
  const limits = limitsIn((name) => order[name]);
  const answer = new LineAnswer(response);
  const parts = new PartSender(partBytes, async (number, body) => {
    answer.write({ want: number });
    const told = await next(incoming);
    if (told.part !== number) throw new AgentError('bad_request', `the address of part ${number} was asked for`);
    answer.write({ part: number, etag: await sendPart(addressIn(told), body) });
  });
  await answer.end(uploadTo(agent, limits, parts, encoding, response));
}

async function uploadTo(
  agent: Agent,
  limits: SnapshotLimits,
  parts: PartSender,
  encoding: Encoding,
  response: ServerResponse,
): Promise<Record<string, unknown>> {
  const packed = compressor(encoding);
  // Whoever asked is gone: nobody would complete the upload.
  response.once('close', () => packed.destroy());
  const flowing = pipeline(packed, parts);
  flowing.catch(() => undefined);
  try {
    const { sha256, entries, bytes, skippedCount } = await agent.snapshot(limits, () => packed);
    packed.end();
    await flowing;
    return { sha256, entries, skipped: skippedCount, bytes, stored_sha256: parts.sha256(), stored_bytes: parts.sizeBytes, encoding };
  } catch (error) {
    // Where the parts failed, the tar has only lost its reader: what they failed with is what counts.
    const failed = parts.errored ?? error;
    packed.destroy();
    throw failed;
  }
}

async function download(agent: Agent, request: IncomingMessage, response: ServerResponse, signed: string | null): Promise<void> {
  const body = await readJson(request, signed);
  const sha256 = textField(body, 'sha256', 64);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new AgentError('bad_request', 'sha256 must be the hex digest of the tar');
  await new LineAnswer(response).end(restoreFrom(agent, addressIn(body), { sha256, encoding: encodingIn(body) }, response));
}

async function restoreFrom(
  agent: Agent,
  address: string,
  { sha256, encoding }: { sha256: string; encoding: Encoding },
  response: ServerResponse,
): Promise<Record<string, unknown>> {
  const stored = await openObject(address);
  const tar = decompressor(encoding);
  let broken: Error | null = null;
  stored.once('error', (error: Error) => {
    broken = error;
    tar.destroy(error);
  });
  // It may fail before the restore has begun to read it; then the restore is told when it does.
  tar.on('error', () => undefined);
  tar.once('close', () => stored.destroy());
  // Whoever asked is gone: the workspace stays as it was.
  response.once('close', () => tar.destroy(new Error('the connection was closed')));
  try {
    return { ...(await agent.restore(stored.pipe(tar), sha256)) };
  } catch (error) {
    if (broken !== null) throw new AgentError('store_failed', 'the store broke off');
    throw isUnreadable(codeOf(error)) ? new AgentError('bad_archive', `it is not whole, or not of the encoding ${encoding}`) : error;
  } finally {
    tar.destroy();
  }
}

async function next(lines: AsyncGenerator<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const line = await lines.next();
  if (line.done) throw new AgentError('bad_request', 'a line is missing');
  return line.value;
}

function addressIn(line: Record<string, unknown>): string {
  const address = textField(line, 'address', MAX_ADDRESS);
  if (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol)) return address;
  throw new AgentError('bad_request', 'address must be an http or https address');
}
