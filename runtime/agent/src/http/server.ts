import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AgentError, errorBody } from '../errors';
import { IN_FLOW } from '../files/in-flow';
import { codeOf, log, messageOf } from '../log';
import type { Authorize } from './auth';
import { answer, type Route } from './routes';

/** A connection on which nothing moves for this long is given up, in the middle of a restore too. */
const IDLE_MS = 60_000;
/** How long the rest of a refused body is read, so that the sender gets to see the refusal. */
const LINGER_MS = 10_000;

/** The agent's HTTP server; it does not listen yet. Every error is answered `{error: {code, message}}`. */
export function createAgentServer(routes: readonly Route[], authorize: Authorize): Server {
  // No limit on the time of a request as a whole: a restore takes as long as it takes. IDLE_MS bounds a silence.
  const server = createServer({ requestTimeout: 0, headersTimeout: 10_000, highWaterMark: IN_FLOW }, (request, response) => {
    request.setTimeout(IDLE_MS, () => request.destroy(new Error('nothing received for too long')));
    handle(routes, authorize, request, response).catch((error: unknown) => fail(request, response, error));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
    const body = JSON.stringify({ error: { code: 'bad_request', message: 'this is not an HTTP request that can be read' } });
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    return undefined;
  });
  return server;
}

async function handle(routes: readonly Route[], authorize: Authorize, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const matching = routes.filter((route) => route.path.test(path));
  const route = matching.find((it) => it.method === request.method);
  // Before anything is told about routes: who may not ask learns nothing.
  const content = route?.open ? null : authorize(request);
  if (matching.length === 0) throw new AgentError('not_found', 'there is no such route');
  if (!route) {
    response.setHeader('allow', matching.map((it) => it.method).join(', '));
    throw new AgentError('method_not_allowed', `this route has ${matching.map((it) => it.method).join(', ')}`);
  }
  await route.handle(request, response, { parameter: route.path.exec(path)?.[1] ?? '', content });
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    // In the middle of an answer only a broken connection says that it is not whole.
    log('error', 'an answer broke off', { method: request.method, path: request.url, error: messageOf(error) });
    response.destroy();
    return;
  }
  const known = error instanceof AgentError ? error : asAgentError(error);
  if (known.code === 'unauthorized') response.setHeader('www-authenticate', 'Bearer');
  if (known.status >= 500) log('error', 'a request failed', { method: request.method, path: request.url, error: messageOf(error) });
  if (request.complete) answer(response, known.status, { error: errorBody(known) });
  else answerEarly(request, response, known);
}

/** The whole answer, while the body is still being sent. It is read on: a connection that is closed before would reset, and take the answer with it. */
function answerEarly(request: IncomingMessage, response: ServerResponse, error: AgentError): void {
  const text = `${JSON.stringify({ error: errorBody(error) })}\n`;
  response.writeHead(error.status, {
    connection: 'close',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.write(text);
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => response.end());
  request.resume();
}

function asAgentError(error: unknown): AgentError {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return new AgentError('no_space', 'no room on the disk', { cause: error });
  return new AgentError('internal_error', messageOf(error), { cause: error });
}
