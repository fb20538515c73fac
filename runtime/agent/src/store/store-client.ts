import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from '../errors';
import { codeOf } from '../log';

/** A store to which no connection comes about in this time is taken to be out of reach. */
const CONNECT_MS = 5_000;
/** How long it may be silent after that. */
const IDLE_MS = 30_000;
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 200;

/**
 * Sends one part to where its address says. Repeated where that may help.
 * @returns how the store named it
 * @throws AgentError `store_unreachable`, `store_failed`; never with the address, which is a secret
 */
export async function sendPart(address: string, body: Buffer): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(address, body);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
}

/** The bytes at this address. @throws AgentError as `sendPart` does; what breaks in the middle breaks the stream */
export async function openObject(address: string): Promise<Readable> {
  const request = open(address, 'GET', {});
  request.end();
  const response = await answerOf(request);
  if (response.statusCode !== 200) throw refused(response);
  return response;
}

async function sendOnce(address: string, body: Buffer): Promise<string> {
  const request = open(address, 'PUT', { 'content-length': body.length });
  request.end(body);
  const response = await answerOf(request);
  response.resume();
  const { etag } = response.headers;
  if (response.statusCode !== 200 || etag === undefined) throw refused(response);
  return etag;
}

function open(address: string, method: string, headers: Record<string, number>): ClientRequest {
  const url = new URL(address);
  return (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method, headers, agent: false });
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let connected = false;
    const late = setTimeout(() => request.destroy(new AgentError('store_unreachable', 'no connection to the store')), CONNECT_MS);
    request.once('socket', (socket) => {
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        connected = true;
        clearTimeout(late);
      });
    });
    request.setTimeout(IDLE_MS, () => request.destroy(new AgentError('store_failed', 'the store is silent')));
    request.once('response', resolve);
    request.on('error', (error) => {
      clearTimeout(late);
      reject(connected ? asStoreError(error) : unreachable(error));
    });
  });
}

function refused({ statusCode }: IncomingMessage): AgentError {
  return new AgentError('store_failed', `the store answered ${statusCode}`);
}

/** The code alone: a message may hold the address. */
function asStoreError(error: unknown): AgentError {
  return error instanceof AgentError ? error : new AgentError('store_failed', `the connection to the store: ${codeOf(error) ?? 'broken'}`);
}

function unreachable(error: unknown): AgentError {
  return error instanceof AgentError
    ? error
    : new AgentError('store_unreachable', `no connection to the store: ${codeOf(error) ?? 'refused'}`);
}
