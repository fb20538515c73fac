import type { Server } from 'node:http';

/** Calls `end` once no request has been under way for so long. */
export function endWhenIdle(server: Server, idleMs: number, end: () => void): void {
  let underWay = 0;
  let timer = setTimeout(end, idleMs).unref();
  server.on('request', (_request, response) => {
    underWay += 1;
    clearTimeout(timer);
    response.once('close', () => {
      underWay -= 1;
      if (underWay === 0) timer = setTimeout(end, idleMs).unref();
    });
  });
  server.once('close', () => clearTimeout(timer));
}
