import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ReadinessGate } from '../health/readiness-gate';

/**
 * Lets the server close as soon as the requests in hand are answered. Once the process is told to stop, each answer is the last on its
 * connection, and connections without a request end. Node itself waits for those that have not sent their first request yet, and keeps
 * alive those that are busy when it closes.
 */
export function hangUpWhenStopping(app: NestFastifyApplication): void {
  const gate = app.get(ReadinessGate, { strict: false });
  const fastify = app.getHttpAdapter().getInstance();
  const idle = idleConnections(app.getHttpServer());
  fastify.addHook('onSend', (_request, reply, _payload, done) => {
    if (gate.state === 'stopping') reply.header('connection', 'close');
    done();
  });
  fastify.addHook('preClose', (done) => {
    for (const socket of idle) socket.destroy();
    done();
  });
}

/** The connections that have no request in hand just now. */
function idleConnections(server: Server): ReadonlySet<Socket> {
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
  return idle;
}
