import { Client, type ClientConfig } from 'pg';

/**
 * A connection that hears its own errors. The server may end a connection at any moment, also while nobody's: between the pool, which listens to those
 * that idle, and whoever has just been given it. An error that nobody hears would end the process. Whoever uses the connection next is told by his
 * own query.
 */
export class WatchedClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
