import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a helper is asked, and what it answers; one at a time. */
export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** A process of the benchmark's own, which does one kind of work when asked to: so that it has an event loop of its own, as clients and peers have. */
export class Helper {
  private readonly child: ChildProcess;

  /** @param script the compiled file, which calls {@link serve} */
  constructor(
    script: string,
    private readonly signal: AbortSignal,
  ) {
    // A session of its own: a Ctrl-C in the terminal reaches the benchmark alone.
    this.child = fork(script, { detached: true });
  }

  /** @throws Error where it fails, or ends; the signal's reason */
  async ask<T>(order: object): Promise<T> {
    const answered = new AbortController();
    const signal = AbortSignal.any([this.signal, answered.signal]);
    try {
      const message = once(this.child, 'message', { signal }) as Promise<[Answer]>;
      const end = once(this.child, 'exit', { signal }).then((): never => {
        throw new Error('The helper has ended');
      });
      this.child.send(order);
      const [{ error, value }] = await Promise.race([message, end]);
      if (error !== undefined) throw new Error(error);
      return value as T;
    } finally {
      answered.abort();
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** Makes this process a helper: it does this with each order, and ends with whoever forked it. */
export function serve<O, T>(work: (order: O) => Promise<T>): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (order: O) => {
    work(order).then(
      (value) => process.send?.({ value } satisfies Answer),
      (error: Error) => process.send?.({ error: error.stack ?? error.message } satisfies Answer),
    );
  });
}
