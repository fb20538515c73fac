import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { ApiError } from '../errors/api-error';
import type { Asking } from '../input/ask.decorator';
import { Bell } from './bell';
import { Endings } from './endings';
import { WaitingRoom } from './waiting-room';

/** How soon a waiting request looks for itself, in case the event does not come. Each look after that is as far off again, and at most this far. */
const FIRST_LOOK_MS = 2_000;
const LONGEST_LOOK_MS = 16_000;

/** Something with an end that callers wait for. */
export interface Awaited<T> {
  id: string;
  asking: Asking;
  /** How it is now. @throws ApiError */
  look: () => Promise<T>;
  isEnded: (found: T) => boolean;
}

/** Waiting for the end of an operation or a task. */
@Injectable()
export class Waiting implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();

  constructor(
    private readonly endings: Endings,
    private readonly room: WaitingRoom,
  ) {}

  /**
   * What is asked for as it is when it ends, when `waitMs` are over, or when the caller has gone, whichever is first.
   * @throws ApiError `rate_limited` where too many wait already; what `look` throws
   */
  async until<T>(awaited: Awaited<T>, waitMs: number, gone: AbortSignal): Promise<T> {
    if (waitMs === 0) return awaited.look();
    const { orgId, caller } = awaited.asking;
    const leave = this.room.enter(`${orgId} ${caller.sub}`);
    const stop = AbortSignal.any([gone, this.closing.signal]);
    const bell = new Bell(stop);
    // Before the first look, so that an end between the look and the wait is not missed.
    const unwatch = this.endings.watch(awaited.id, () => bell.ring());
    // At once, also while a look is out: its answer may take seconds, and nobody waits any more.
    stop.addEventListener('abort', leave);
    if (stop.aborted) leave();
    try {
      return await watchUntil(awaited, performance.now() + waitMs, bell, stop);
    } finally {
      stop.removeEventListener('abort', leave);
      leave();
      unwatch();
      bell.dispose();
    }
  }

  /** Lets the HTTP server close without those who wait. */
  beforeApplicationShutdown(): void {
    this.closing.abort();
  }
}

async function watchUntil<T>({ look, isEnded }: Awaited<T>, until: number, bell: Bell, stop: AbortSignal): Promise<T> {
  let found = await look();
  for (
    let delay = FIRST_LOOK_MS;
    !isEnded(found) && !stop.aborted && performance.now() < until;
    delay = Math.min(delay * 2, LONGEST_LOOK_MS)
  ) {
    await bell.wait(Math.min(delay, until - performance.now()));
    if (stop.aborted) break;
    found = await lookAgain(look, found);
  }
  return found;
}

/** While it waits, a caller who already has an answer gets that rather than 503. */
async function lookAgain<T>(look: () => Promise<T>, last: T): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof ApiError && error.refusal.code === 'unavailable') return last;
    throw error;
  }
}
