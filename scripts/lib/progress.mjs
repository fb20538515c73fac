// @ts-check

/**
 * What a start tells while it works: a line for each phase when it ends, with its seconds. A terminal also shows what is under way;
 * elsewhere a phase that takes long is mentioned every 15 s, so that nobody takes silence for a hang.
 */
export class Progress {
  #began = Date.now();
  /** @type {Map<string, number>} */
  #running = new Map();
  /** @type {NodeJS.Timeout | undefined} */
  #timer;
  #live;
  #write;

  /** @param {(text: string) => void} [write] */
  constructor(write) {
    this.#live = !write && process.stdout.isTTY;
    this.#write = write ?? ((text) => void process.stdout.write(text));
  }

  /** Seconds since the beginning. */
  get seconds() {
    return ((Date.now() - this.#began) / 1000).toFixed(1);
  }

  /** @param {string} text */
  say(text) {
    this.#write(`${this.#live ? '\r\x1b[K' : ''}${text}\n`);
  }

  /**
   * @template T
   * @param {string} name what is being done
   * @param {() => Promise<T>} work its result may say in a word why there was nothing to do: 'skip: unchanged'
   * @returns {Promise<T>}
   */
  async phase(name, work) {
    const from = Date.now();
    this.#running.set(name, from);
    this.#tick();
    let end = '✗';
    let note = '';
    try {
      const result = await work();
      end = '✓';
      if (typeof result === 'string' && result.startsWith('skip: ')) note = ` (${result.slice(6)})`;
      return result;
    } finally {
      this.#running.delete(name);
      this.say(`  ${end} ${(name + note).padEnd(58)} ${((Date.now() - from) / 1000).toFixed(1).padStart(6)} s`);
      this.#tick();
    }
  }

  #tick() {
    clearInterval(this.#timer);
    if (this.#running.size === 0) return this.#live ? this.#write('\r\x1b[K') : undefined;
    const show = () => {
      const names = [...this.#running].map(([name, from]) => `${name} (${Math.round((Date.now() - from) / 1000)} s)`).join(', ');
      if (this.#live) this.#write(`\r\x1b[K  … ${names}`.slice(0, (process.stdout.columns || 100) + 2));
      else this.#write(`  … ${names}\n`);
    };
    if (this.#live) show();
    this.#timer = setInterval(show, this.#live ? 1_000 : 15_000);
    this.#timer.unref();
  }
}
