import { Outbox, OutboxRelay, type OutgoingMessage } from '@reprise/messaging';
import { addToContext, Clock } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OneStatement } from '../transactions/one-statement';
import { UnitOfWork } from '../transactions/unit-of-work';
import { AnswersRepository } from './answers.repository';
import type { Fact } from './command';
import { InOrder } from './in-order';

/** What a fact changes, or null where it is of the past and changes nothing. */
export interface Effect {
  writes: OneStatement;
  messages: OutgoingMessage[];
}

/** The one way in which a fact is applied: its writes, its inbox row and its messages commit in one transaction, once. */
@Injectable()
export class FactRunner {
  private readonly order = new InOrder();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly answers: AnswersRepository,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  /**
   * Facts about one workspace are applied in the order in which they were delivered: they would wait for each other's row lock anyway, each with
   * a connection in its hands, and then come in any order. (Several replicas still mix it; the rules of each fact bear that.)
   * @param fact null for what no message told, such as a deadline that passed.
   */
  apply(fact: Fact<unknown> | null, work: (manager: EntityManager, now: Date) => Promise<Effect | null>): Promise<void> {
    const { workspace_id: workspaceId, operation_id: operationId } = (fact?.data ?? {}) as { workspace_id?: string; operation_id?: string };
    if (operationId !== undefined) addToContext({ operationId });
    return workspaceId === undefined ? this.applyNow(fact, work) : this.order.run(workspaceId, () => this.applyNow(fact, work));
  }

  private async applyNow(fact: Fact<unknown> | null, work: (manager: EntityManager, now: Date) => Promise<Effect | null>): Promise<void> {
    const batch = await this.unitOfWork
      .run(async (manager) => {
        const effect = await work(manager, this.clock.now());
        if (!effect) return null;
        const { writes, messages } = effect;
        const prepared = this.outbox.prepare(messages);
        if (fact) writes.add('inbox_row', this.answers.applied(fact, null));
        if (messages.length > 0)
          writes.add('outbox_rows', (bind) => `${this.outbox.insertSql(bind(prepared.parameter))} RETURNING 1`, messages.length);
        const { inbox_row: applied } = await writes.run(manager);
        if (fact && applied !== 1) throw new AppliedBeforeError();
        return prepared;
      })
      .catch((error: unknown) => {
        if (error instanceof AppliedBeforeError) return null;
        throw error;
      });
    if (batch) this.relay.wake(batch);
  }
}

class AppliedBeforeError extends Error {}
