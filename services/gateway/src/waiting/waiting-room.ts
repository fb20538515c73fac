import { Injectable } from '@nestjs/common';
import { refusal } from '@reprise/contracts';
import { ApiError } from '../errors/api-error';
import { GatewayConfig } from '../gateway.config';

/** A place may become free at any moment; this is how soon it is worth asking again. */
const RETRY_AFTER_SECONDS = 2;

/** Bounds how many requests wait at once in this process: in all, and for each caller. */
@Injectable()
export class WaitingRoom {
  private readonly byCaller = new Map<string, number>();
  private all = 0;

  constructor(private readonly config: GatewayConfig) {}

  /**
   * Takes a place; the returned function gives it back, once.
   * @throws ApiError `rate_limited` with `Retry-After`
   */
  enter(caller: string): () => void {
    const { waitsPerCaller, waitsInAll } = this.config;
    const own = this.byCaller.get(caller) ?? 0;
    if (own >= waitsPerCaller) throw full(`The caller already has ${waitsPerCaller} requests that wait; ask without wait, or again later.`);
    if (this.all >= waitsInAll) throw full('Too many requests wait at present; ask without wait, or again later.');
    this.all += 1;
    this.byCaller.set(caller, own + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.leave(caller);
    };
  }

  private leave(caller: string): void {
    this.all -= 1;
    const rest = (this.byCaller.get(caller) ?? 1) - 1;
    if (rest === 0) this.byCaller.delete(caller);
    else this.byCaller.set(caller, rest);
  }
}

function full(message: string): ApiError {
  return new ApiError(refusal('rate_limited', undefined, message), { 'retry-after': String(RETRY_AFTER_SECONDS) });
}
