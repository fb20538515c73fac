import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError, apiError, invalid, unavailable } from '../errors/api-error';
import { type Exchange, Exchanges } from './exchanges';
import { timesSent } from './times-sent';
import { answerOnSocket, answerRequest } from './raw-answer';

/** Longer than any id or name can be; Fastify's router would answer a longer part of a path in its own words. */
const LONGEST_SEGMENT = 100;
const EXPECTATION_FAILED = 417;

/** What Node and Fastify would answer by themselves, before any hook or filter runs, is answered here with the error body. */
export function frontDoor(server: Server): void {
  const [fastify] = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  if (!fastify) throw new Error('The server has no request listener yet');
  const exchanges = new Exchanges();
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    exchanges.add(request, response);
    const refused = refuse(server, request);
    if (refused) return answerRequest(request, response, refused);
    request.url = shortened(request.url ?? '/');
    fastify(request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    exchanges.add(request, response);
    answerRequest(request, response, invalid({ Expect: 'may be 100-continue and nothing else' }), EXPECTATION_FAILED);
  });
  // Node would close the connection without a word: this is no proxy.
  server.on('connect', ({ socket }: IncomingMessage) => answerBehind(exchanges.of(socket), socket, apiError('route_not_found')));
  const refused = new WeakSet<Socket>();
  server.removeAllListeners('clientError');
  server.on('clientError', (problem: NodeJS.ErrnoException, socket: Socket) => {
    // Whatever comes after what cannot be read cannot be read either.
    if (refused.has(socket)) return;
    refused.add(socket);
    refuseUnreadable(exchanges, problem, socket);
  });
}

function refuse(server: Server, request: IncomingMessage): ApiError | undefined {
  // A connection that is kept alive can bring a request while the server closes.
  if (!server.listening) return closing();
  if (!hasRightHost(request)) return invalid({ Host: 'must be sent, and once' });
  try {
    decodeURIComponent(pathOf(request.url ?? '/'));
  } catch {
    return invalid({ url: 'is not valid percent-encoding' });
  }
  return undefined;
}

function closing(): ApiError {
  const { refusal, headers } = unavailable('The service is closing; repeat the request.');
  return new ApiError(refusal, { ...headers, connection: 'close' });
}

/** RFC 9112, section 3.2. HTTP/1.0 needs no Host. */
function hasRightHost({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  const times = timesSent(rawHeaders, 'host');
  return times === 1 || (times === 0 && httpVersion !== '1.1');
}

/** Cuts parts of the path that are too long to be anything: what is left is still no id, and gets the answer of its route. */
function shortened(url: string): string {
  const path = pathOf(url);
  if (path.length <= LONGEST_SEGMENT) return url;
  const segments = path.split('/').map((segment) => (segment.length > LONGEST_SEGMENT ? 'too-long' : segment));
  return segments.join('/') + url.slice(path.length);
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

/**
 * Node could not read what came. If it is the body of a request, that one is answered; else the answer stands behind those to the requests
 * before it. The connection ends in any case.
 */
function refuseUnreadable(exchanges: Exchanges, problem: NodeJS.ErrnoException, socket: Socket): void {
  if (problem.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const open = exchanges.of(socket);
  const broken = open.at(-1)?.request.complete === false ? open.pop() : undefined;
  if (broken?.response.headersSent) return void socket.destroy();
  answerBehind(open, socket, unreadable(problem));
}

function answerBehind(earlier: readonly Exchange[], socket: Socket, error: ApiError): void {
  const last = earlier.at(-1);
  if (last) last.response.once('close', () => answerOnSocket(socket, error));
  else answerOnSocket(socket, error);
}

function unreadable({ code }: NodeJS.ErrnoException): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW') return apiError('payload_too_large', undefined, "The request's headers are too large.");
  return invalid({ request: code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'took too long to arrive' : 'is not valid HTTP' });
}
