import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { GetOperation, type OperationView } from '@reprise/contracts';
import { Lifecycle } from '../commands/lifecycle.service';
import { ApiError } from '../errors/api-error';
import type { Asking } from '../input/ask.decorator';
import { Endings } from './endings';

/** How often a waiting request looks for itself, in case the event does not come. */
const LOOK_AGAIN_MS = 2_000;

/** Operations, and waiting for their end. */
@Injectable()
export class OperationsService implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();

  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly endings: Endings,
  ) {}

  /**
   * The operation as it is when it ends, when `waitMs` are over, or when the caller has gone, whichever is first.
   * @throws ApiError
   */
  async get(asking: Asking, operationId: string, waitMs: number, gone: AbortSignal): Promise<OperationView> {
    const until = performance.now() + waitMs;
    const stop = AbortSignal.any([gone, this.closing.signal]);
    const bell = new Bell(stop);
    // Before the first look, so that an end between the look and the wait is not missed.
    const unwatch = this.endings.watch(operationId, () => bell.ring());
    try {
      let operation = await this.look(asking, operationId);
      while (!isEnded(operation) && !stop.aborted && performance.now() < until) {
        await bell.wait(Math.min(LOOK_AGAIN_MS, until - performance.now()));
        operation = await this.look(asking, operationId, operation);
      }
      return operation;
    } finally {
      unwatch();
      bell.dispose();
    }
  }

  /** Lets the HTTP server close without those who wait. */
  beforeApplicationShutdown(): void {
    this.closing.abort();
  }

  /** While it waits, a caller who already has an answer gets that rather than 503. */
  private async look(asking: Asking, operation_id: string, last?: OperationView): Promise<OperationView> {
    try {
      return await this.lifecycle.query<GetOperation, OperationView>(GetOperation, asking, { operation_id });
    } catch (error) {
      if (last && error instanceof ApiError && error.refusal.code === 'unavailable') return last;
      throw error;
    }
  }
}

function isEnded({ status }: OperationView): boolean {
  return status === 'succeeded' || status === 'failed';
}

/** Ends a wait early, also one that begins just after it rang. */
class Bell {
  private rung = false;
  private wake: (() => void) | undefined;
  private readonly onStop = (): void => this.ring();

  constructor(private readonly stop: AbortSignal) {
    stop.addEventListener('abort', this.onStop);
  }

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  async wait(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
    }
    clearTimeout(timer);
    this.rung = false;
    this.wake = undefined;
  }

  dispose(): void {
    this.stop.removeEventListener('abort', this.onStop);
  }
}
