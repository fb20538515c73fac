// @ts-check
import { describe } from './failure.mjs';
import { runningServers, startBroker, startDatabase } from './infrastructure.mjs';
import { isAlive } from './processes.mjs';

const EVERY_MS = 2_000;

/** Starts PostgreSQL and RabbitMQ again when they die. The services survive their loss and wait: they only have to come back. */
export class ServerWatch {
  #state;
  #onNews;
  #running;
  /** @type {Promise<void> | null} */
  #reviving = null;
  #timer;

  /** @param {import('./state.mjs').State} state @param {(text: string) => void} onNews */
  constructor(state, onNews) {
    this.#state = state;
    this.#onNews = onNews;
    this.#running = runningServers(state);
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  #look() {
    if (this.#reviving) return;
    const { DATABASE_FROM, AMQP_FROM } = this.#state.values;
    const database = DATABASE_FROM === 'npm' && !isAlive(this.#running.PostgreSQL);
    const broker = AMQP_FROM === 'node' && !isAlive(this.#running.RabbitMQ);
    if (!database && !broker) return;
    this.#reviving = this.#revive(database, broker).finally(() => (this.#reviving = null));
  }

  /** @param {boolean} database @param {boolean} broker */
  async #revive(database, broker) {
    const lost = [database ? 'PostgreSQL' : '', broker ? 'RabbitMQ' : ''].filter(Boolean).join(' and ');
    this.#onNews(`${lost} ended; starting again`);
    try {
      await Promise.all([database && startDatabase(this.#state, { durable: true }), broker && startBroker(this.#state)]);
      this.#running = runningServers(this.#state);
    } catch (error) {
      this.#onNews(describe(error)); // and the next look tries again
    }
  }

  /** Look no more; resolves when nothing is being started any more. */
  async stop() {
    clearInterval(this.#timer);
    await this.#reviving;
  }
}
