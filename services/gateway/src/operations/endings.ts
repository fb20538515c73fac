import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { EXCHANGE, OperationFailed, OperationSucceeded } from '@reprise/contracts';
import { EventsListener } from '@reprise/messaging';

/** Wakes whoever waits for an operation when the event of its end is heard. */
@Injectable()
export class Endings implements OnApplicationBootstrap {
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(private readonly events: EventsListener) {}

  onApplicationBootstrap(): void {
    this.events.listen({
      queuePrefix: 'gateway.events',
      bindings: [OperationSucceeded, OperationFailed].map(({ type }) => ({ exchange: EXCHANGE.events, routingKey: type })),
      onEvent: (event) => this.wake((event as OperationSucceeded | OperationFailed).operation_id),
      onGap: () => this.wakeAll(),
    });
  }

  /** Calls back whenever the operation may have ended; the returned function stops that. */
  watch(operationId: string, callback: () => void): () => void {
    const watchers = this.waiting.get(operationId) ?? new Set();
    this.waiting.set(operationId, watchers.add(callback));
    return () => {
      watchers.delete(callback);
      if (watchers.size === 0) this.waiting.delete(operationId);
    };
  }

  private wake(operationId: string): void {
    for (const callback of this.waiting.get(operationId) ?? []) callback();
  }

  /** Events may have been missed: everyone looks for himself. */
  private wakeAll(): void {
    for (const operationId of this.waiting.keys()) this.wake(operationId);
  }
}
