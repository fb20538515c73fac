import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { EXCHANGE, OperationFailed, OperationSucceeded, TaskEnded } from '@reprise/contracts';
import { EventsListener } from '@reprise/messaging';

/** The events that tell the end of something that callers wait for. */
const ENDINGS = [OperationSucceeded, OperationFailed, TaskEnded];

/** Wakes whoever waits for an operation or a task when the event of its end is heard. */
@Injectable()
export class Endings implements OnApplicationBootstrap {
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(private readonly events: EventsListener) {}

  onApplicationBootstrap(): void {
    this.events.listen({
      queuePrefix: 'gateway.events',
      bindings: ENDINGS.map(({ type }) => ({ exchange: EXCHANGE.events, routingKey: type })),
      onEvent: (event) => this.wake(idOf(event as OperationSucceeded | OperationFailed | TaskEnded)),
      onGap: () => this.wakeAll(),
    });
  }

  /** Calls back whenever what has this id may have ended; the returned function stops that. */
  watch(id: string, callback: () => void): () => void {
    const watchers = this.waiting.get(id) ?? new Set();
    this.waiting.set(id, watchers.add(callback));
    return () => {
      watchers.delete(callback);
      if (watchers.size === 0) this.waiting.delete(id);
    };
  }

  private wake(id: string): void {
    for (const callback of this.waiting.get(id) ?? []) callback();
  }

  /** Events may have been missed: everyone looks for himself. */
  private wakeAll(): void {
    for (const id of this.waiting.keys()) this.wake(id);
  }
}

function idOf(event: OperationSucceeded | OperationFailed | TaskEnded): string {
  return 'operation_id' in event ? event.operation_id : event.task_id;
}
