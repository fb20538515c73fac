import { Outbox, type OutboxBatch, OutboxRelay, type OutgoingMessage } from '@reprise/messaging';
import {
  addToContext,
  Clock,
  inTransactionSpan,
  isTransactionConflict,
  isTransientDatabaseError,
  isUniqueViolation,
} from '@reprise/platform';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OneStatement } from '../transactions/one-statement';
import { UnitOfWork } from '../transactions/unit-of-work';
import { WritesTogether } from '../transactions/writes-together';
import { AnswersRepository } from './answers.repository';
import type { Fact } from './command';
import { InOrder } from './in-order';

/** What facts change, or null where they are of the past and change nothing. */
export interface Effect {
  writes: OneStatement;
  messages: OutgoingMessage[];
}

/** Loads what it needs with the manager and says what is to be written. It may be run again, and must have no effect of its own. */
export type FactWork = (manager: EntityManager, now: Date) => Promise<Effect | null>;

/**
 * One that can also do without locks, since its writes hit nothing where what it loaded has been written since; and that works in several facts as
 * it would one after the other.
 */
export type GuardedFactWork<T> = (
  facts: readonly Fact<T>[],
  manager: EntityManager,
  now: Date,
  loading: { locked: boolean },
) => Promise<Effect | null>;

/** What facts about an operation say. */
export interface AboutOperation {
  workspace_id: string;
  operation_id: string;
}

/**
 * The one way in which a fact is applied: its writes, its inbox row and its messages commit in one transaction, once. Facts about one workspace are
 * applied in the order in which they were delivered: they would wait for each other's row lock anyway, each with a connection in its hands, and
 * then come in any order. (Several replicas still mix it; the rules of each fact bear that.)
 */
@Injectable()
export class FactRunner {
  private readonly logger = new Logger(FactRunner.name);
  private readonly order = new InOrder();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly writesTogether: WritesTogether,
    private readonly answers: AnswersRepository,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  /** @param fact null for what no message told, such as a deadline that passed. */
  apply(fact: Fact<unknown> | null, work: FactWork): Promise<void> {
    const { workspace_id: workspaceId, operation_id: operationId } = (fact?.data ?? {}) as Partial<AboutOperation>;
    if (operationId !== undefined) addToContext({ operationId });
    const apply = (): Promise<void> => this.applyLocked(fact, work);
    return workspaceId === undefined ? apply() : this.order.run(workspaceId, apply);
  }

  /** Applies the fact without a lock; and once more under one, where someone else was faster. */
  applyGuarded<T extends AboutOperation>(fact: Fact<T>, work: GuardedFactWork<T>): Promise<void> {
    addToContext({ operationId: fact.data.operation_id });
    return this.order.run(fact.data.workspace_id, async () => {
      if (!(await this.appliedAtOnce([fact], work))) await this.applyLocked(fact, locked([fact], work));
    });
  }

  /** The same, together with the facts about the same operation that came right before or after it; one by one, where that cannot be. */
  async applyTogether<T extends AboutOperation>(fact: Fact<T>, work: GuardedFactWork<T>): Promise<void> {
    const { workspace_id: workspaceId, operation_id: operationId } = fact.data;
    addToContext({ operationId });
    const waiting = { fact, failure: undefined as Error | undefined };
    await this.order.gather(workspaceId, operationId, waiting, async (all) => {
      const facts = all.map((each) => each.fact);
      if (await this.appliedAtOnce(facts, work).catch((error: unknown) => this.oneByOneAfter(error))) return;
      let outage: Error | undefined;
      for (const each of all) {
        each.failure = outage ?? (await this.applyLocked(each.fact, locked([each.fact], work)).then(() => undefined, asError));
        if (isTransientDatabaseError(each.failure)) outage = each.failure;
      }
    });
    if (waiting.failure) throw waiting.failure;
  }

  /** A database that is away fails all alike, and whoever delivered them waits for it; anything else may be one fact's own. */
  private oneByOneAfter(error: unknown): false {
    if (isTransientDatabaseError(error)) throw error;
    this.logger.debug(`Facts that came together are applied one by one: ${(error as Error).message}`);
    return false;
  }

  /** False where nothing was written: what was loaded is not so any more, or one of the facts was applied before. */
  private async appliedAtOnce<T>(facts: readonly Fact<T>[], work: GuardedFactWork<T>): Promise<boolean> {
    const { manager } = this.unitOfWork;
    try {
      return await inTransactionSpan(async () => {
        const effect = await work(facts, manager, this.clock.now(), { locked: false });
        if (!effect) return true;
        const batch = this.complete(effect);
        effect.writes.add('inbox_row', this.answers.appliedAll(facts), facts.length);
        if (!(await this.writesTogether.write(effect.writes))) return false;
        this.relay.wake(batch);
        return true;
      });
    } catch (error) {
      if (isTransactionConflict(error) || isUniqueViolation(error)) return false;
      throw error;
    }
  }

  private async applyLocked(fact: Fact<unknown> | null, work: FactWork): Promise<void> {
    const batch = await this.unitOfWork
      .run(async (manager) => {
        const effect = await work(manager, this.clock.now());
        if (!effect) return null;
        const batch = this.complete(effect);
        if (fact) effect.writes.add('inbox_row', this.answers.appliedAll([fact]));
        const { inbox_row: applied } = await effect.writes.run(manager);
        if (fact && applied !== 1) throw new AppliedBeforeError();
        return batch;
      })
      .catch((error: unknown) => {
        if (error instanceof AppliedBeforeError) return null;
        throw error;
      });
    if (batch) this.relay.wake(batch);
  }

  /** Adds the messages to the writes. */
  private complete({ writes, messages }: Effect): OutboxBatch {
    const batch = this.outbox.prepare(messages);
    if (messages.length > 0)
      writes.add('outbox_rows', (bind) => `${this.outbox.insertSql(bind(batch.parameter))} RETURNING 1`, messages.length);
    return batch;
  }
}

function locked<T>(facts: readonly Fact<T>[], work: GuardedFactWork<T>): FactWork {
  return (manager, now) => work(facts, manager, now, { locked: true });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

class AppliedBeforeError extends Error {}
