import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ApiError } from '../errors/api-error';
import { errorBody } from '../errors/error-body';

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const LINGER_MS = 1_000;

/** Answers a request that no hook or filter has seen. What it has for a body is read and thrown away. */
export function answerRequest(request: IncomingMessage, response: ServerResponse, error: ApiError, status = error.status): void {
  const given = request.headers['x-request-id'];
  const { body, headers } = written(error, typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID());
  response.writeHead(status, headers).end(body);
}

/** Answers what Node could not read as a request, so that there is no response object: the answer is written to the socket, which then ends. */
export function answerOnSocket(socket: Socket, error: ApiError): void {
  if (!socket.writable) return void socket.destroy();
  const { body, headers } = written(error, randomUUID());
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${error.status} Error\r\n${lines.join('')}\r\n${body}`);
  // A connection that is closed while the other side still sends is reset, and the answer lost.
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger)).once('end', () => socket.destroy());
  socket.resume();
}

function written(error: ApiError, requestId: string): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify(errorBody(error.refusal, requestId));
  return {
    body,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'x-request-id': requestId,
      'x-content-type-options': 'nosniff',
      ...error.headers,
    },
  };
}
