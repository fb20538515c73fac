// @ts-check
import { bringUp } from './bring-up.mjs';
import { Failure } from './failure.mjs';
import { greeting } from './greeting.mjs';
import { stopBroker, stopDatabase } from './infrastructure.mjs';
import { decide, migrate, seed, setUp } from './instance.mjs';
import { abortCommands } from './processes.mjs';
import { ServerWatch } from './server-watch.mjs';
import { ignoredSettings } from './service-settings.mjs';
import { startServices, stopStrayServices } from './services.mjs';

/** @typedef {import('./state.mjs').State} State */

/**
 * One running instance, from the first phase of its start to the last of its stop. The lock is its caller's to hold.
 */
export class Supervisor {
  #state;
  #progress;
  #output;
  /** @type {import('./supervised.mjs').Supervised[]} */
  #services = [];
  /** @type {Promise<unknown>} */
  #starting = Promise.resolve();
  /** @type {Promise<void> | null} */
  #stopping = null;
  /** @type {ServerWatch | null} */
  #watch = null;

  /**
   * @param {State} state
   * @param {import('./progress.mjs').Progress} progress
   * @param {import('./services.mjs').Output} output
   */
  constructor(state, progress, output) {
    this.#state = state;
    this.#progress = progress;
    this.#output = output;
  }

  /**
   * Start everything.
   * @param {{ servers?: boolean | undefined }} [options] servers: PostgreSQL and RabbitMQ alone, with whatever is in them
   * @returns {Promise<string>} what to greet with
   */
  async start({ servers = false } = {}) {
    const started = servers ? this.#startServers() : this.#start();
    this.#starting = started.catch(() => {});
    return started;
  }

  async #startServers() {
    await this.#bringUp();
    this.#refuseIfStopping();
    this.#watch = new ServerWatch(this.#state, this.#output.onNews);
    return '\n  npx reprise restore --from <folder> makes this instance what it was at a backup.';
  }

  async #start() {
    const state = this.#state;
    await this.#bringUp({
      database: async () => {
        await this.#phase('database roles', () => setUp(state, 'database'));
        await this.#phase('migrations', () => migrate(state));
      },
      broker: () => this.#phase('broker users and queues', () => setUp(state, 'broker')),
    });
    await this.#phase('services', async () => {
      this.#services = startServices(state, this.#output);
      await Promise.all(this.#services.map((service) => service.ready()));
    });
    await this.#phase('tenant acme with a role to try', () => seed(state));
    const text = await greeting(state, [
      ...ignoredSettings(process.env).map((name) => `${name} is ignored: npm start decides it (docs/configuration.md).`),
      ...this.#services.flatMap((service) => service.warnings),
    ]);
    this.#refuseIfStopping();
    this.#watch = new ServerWatch(state, this.#output.onNews);
    return text;
  }

  /** @param {{ database: () => Promise<unknown>, broker: () => Promise<unknown> }} [prepare] */
  async #bringUp(prepare) {
    const state = this.#state;
    const progress = this.#progress;
    if ((await stopStrayServices(state)) > 0) progress.say('  Services that a killed start had left behind were stopped.');
    await decide(state);
    const { DATABASE_URL: database, AMQP_URL: broker, RABBITMQ_MANAGEMENT_URL: management } = process.env;
    const given = { database, broker, management };
    await bringUp(state, progress, { packages: 'to run', durable: true, given, ...(prepare ? { prepare } : {}) });
  }

  /** @param {string} name @param {() => Promise<unknown>} work */
  async #phase(name, work) {
    this.#refuseIfStopping();
    await this.#progress.phase(name, work);
  }

  #refuseIfStopping() {
    if (this.#stopping) throw new Failure('stopped while it started');
  }

  /** Stop everything, in order; also a start under way. Safe to call again. */
  stop() {
    return (this.#stopping ??= this.#stop());
  }

  async #stop() {
    abortCommands();
    await this.#watch?.stop();
    for (const service of this.#services) await service.stop();
    // A start under way gets no further than its next phase.
    await this.#starting;
    await Promise.all([stopBroker(this.#state), stopDatabase(this.#state)]);
  }

  /** End the services at once, when someone has no patience. */
  hurry() {
    for (const service of this.#services) void service.stop({ graceMs: 0 });
  }
}
