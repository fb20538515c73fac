import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { inSpan } from '@reprise/platform';
import type { StoreMeters } from '../metrics/observed-snapshot-store';
import type { PodHandle, PodIdentity } from '../pods/pod-driver';
import { aboutPod } from '../pods/traced-pod-driver';
import type { SnapshotRecord } from '../snapshots/snapshots';
import { asError, type Order, type PodWithCredentials, type ThreadData, type Told, type Transfer } from './thread-messages';
import type { Restored, Transfers } from './transfers';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Transfers in a thread of their own, which the first one begins.
 *
 * What flows through is buffers outside of V8's heap. For every 64 MiB of them V8 collects the heap of their thread, and that of the service's main
 * thread holds 40 MiB of modules: there more than half of a transfer was collecting garbage. This thread's holds next to nothing. Nor does anything
 * else of the service stand behind a transfer.
 *
 * A thread that ends by itself fails its transfers with an error that is worth another try, and the next one begins another thread.
 */
export class TransferThread implements Transfers, OnApplicationShutdown {
  private readonly logger = new Logger(TransferThread.name);
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private last = 0;
  private ending = false;

  /** @param entry the program of the thread */
  constructor(
    private readonly data: ThreadData,
    private readonly credentialsOf: (pod: PodIdentity) => PodWithCredentials['credentials'],
    private readonly meters: StoreMeters,
    private readonly entry = join(__dirname, 'thread.js'),
  ) {}

  save(pod: PodHandle, key: string, signal: AbortSignal): Promise<SnapshotRecord> {
    return inSpan('agent snapshot', aboutPod(pod), () =>
      this.make<SnapshotRecord>({ do: 'save', pod: this.withCredentials(pod), key }, signal),
    );
  }

  async verify(record: SnapshotRecord, signal: AbortSignal): Promise<void> {
    await this.make({ do: 'verify', record }, signal);
  }

  restore(pod: PodHandle, record: SnapshotRecord, signal: AbortSignal): Promise<Restored> {
    return inSpan('agent restore', aboutPod(pod), () =>
      this.make<Restored>({ do: 'restore', pod: this.withCredentials(pod), record }, signal),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending = true;
    await this.worker?.terminate();
  }

  private withCredentials(pod: PodHandle): PodWithCredentials {
    return { ...pod, credentials: this.credentialsOf(pod) };
  }

  private async make<T>(transfer: Transfer, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const worker = (this.worker ??= this.begin());
    const id = ++this.last;
    // Nobody waits for the thread to have given it up.
    const abort = (): void => {
      worker.postMessage({ id, do: 'abort' } satisfies Order);
      this.waiting.get(id)?.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<T>((resolve, reject) => {
        this.waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
        worker.postMessage({ id, ...transfer } satisfies Order);
      });
    } finally {
      signal.removeEventListener('abort', abort);
      this.waiting.delete(id);
    }
  }

  private begin(): Worker {
    const worker = new Worker(this.entry, { name: 'transfers', workerData: this.data });
    let why = 'it was ended';
    worker.on('message', (told: Told) => this.hear(told));
    // Whatever was thrown, which need not be an error.
    worker.on('error', (error: unknown) => (why = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
      if (this.waiting.size > 0 && !this.ending) this.logger.error(`The thread of ${this.waiting.size} transfers ended: ${why}`);
      for (const { reject } of this.waiting.values()) reject(new Error(`The thread of the transfer ended: ${why}`));
    });
    // It keeps no process alive that has nothing else to do.
    worker.unref();
    return worker;
  }

  private hear(told: Told): void {
    if ('duration' in told) this.meters.durations.observe(told.duration.labels, told.duration.seconds);
    else if ('storedBytes' in told) this.meters.stored.inc(told.storedBytes);
    else if ('result' in told) this.waiting.get(told.id)?.resolve(told.result);
    else this.waiting.get(told.id)?.reject(asError(told.failure));
  }
}
