import { join } from 'node:path';
import { Helper } from '../peers/helper';
import type { LoadOrder, LoadResult } from './load-order';

/** Sends load and holds the answers to what they must be. */
export class Load {
  private readonly helper: Helper;

  constructor(signal: AbortSignal) {
    this.helper = new Helper(join(__dirname, 'load-process.js'), signal);
  }

  /** @throws Error where any answer has another status than this, or there is none */
  async send(order: LoadOrder, status: number): Promise<LoadResult> {
    const result = await this.helper.ask<LoadResult>(order);
    const others = Object.keys(result.statuses).filter((each) => each !== String(status));
    if (others.length > 0 || result.failures > 0) {
      throw new Error(`Answers other than ${status}: ${JSON.stringify(result.statuses)}, and ${result.failures} requests had none`);
    }
    return result;
  }

  stop(): Promise<void> {
    return this.helper.stop();
  }
}
