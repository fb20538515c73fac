import { Injectable } from '@nestjs/common';

/** Rung when a job may be waiting, so that a worker of the same process looks at once. Who accepts jobs need not know who does them. */
@Injectable()
export class JobBell {
  private readonly listeners = new Set<() => void>();

  ring(): void {
    for (const listener of this.listeners) listener();
  }

  /** The returned function ends it. */
  onRing(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
