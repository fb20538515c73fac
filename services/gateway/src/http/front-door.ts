import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ApiError, apiError, invalid, unavailable } from '../errors/api-error';
import { errorBody } from '../errors/error-body';

/** Longer than any id or name can be; Fastify's router would answer a longer part of a path in its own words. */
const LONGEST_SEGMENT = 100;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** What Node and Fastify would answer by themselves, before any hook or filter runs, is answered here with the error body. */
export function frontDoor(server: Server): void {
  const [fastify] = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  if (!fastify) throw new Error('The server has no request listener yet');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refused = refuse(server, request.url ?? '/');
    if (refused) return answer(request, response, refused);
    request.url = shortened(request.url ?? '/');
    fastify(request, response);
  });
  server.removeAllListeners('clientError');
  server.on('clientError', hangUp);
}

function refuse(server: Server, url: string): ApiError | undefined {
  // A connection that is kept alive can bring a request while the server closes.
  if (!server.listening) return unavailable('The service is closing; repeat the request.');
  try {
    decodeURIComponent(pathOf(url));
  } catch {
    return invalid({ url: 'is not valid percent-encoding' });
  }
  return undefined;
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

function answer(request: IncomingMessage, response: ServerResponse, error: ApiError): void {
  const given = request.headers['x-request-id'];
  const { body, headers } = written(error, typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID());
  response.writeHead(error.status, headers).end(body);
}

/** Node could not even read the request, so there is no response object: the answer is written to the socket, which then ends. */
function hangUp(problem: NodeJS.ErrnoException, socket: Socket): void {
  if (problem.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) return void socket.destroy();
  const error =
    problem.code === 'HPE_HEADER_OVERFLOW'
      ? apiError('payload_too_large', undefined, "The request's headers are too large.")
      : invalid({ request: problem.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'took too long to arrive' : 'is not valid HTTP' });
  const { body, headers } = written(error, randomUUID());
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} Error\r\n${lines.join('')}\r\n${body}`);
}

function written(error: ApiError, requestId: string): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify(errorBody(error.refusal, requestId));
  return {
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'x-request-id': requestId,
      connection: 'close',
      ...error.headers,
    },
  };
}
