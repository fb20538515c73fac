import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** The requests of each connection that are not answered yet: a connection may bring several one behind the other. */
export class Exchanges {
  private readonly open = new WeakMap<Socket, Set<Exchange>>();

  add(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const open = this.open.get(socket) ?? new Set<Exchange>();
    const exchange = { request, response };
    this.open.set(socket, open.add(exchange));
    response.once('close', () => open.delete(exchange));
  }

  /** Oldest first, which is the order of their answers. */
  of(socket: Socket): Exchange[] {
    return [...(this.open.get(socket) ?? [])];
  }
}
