import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent';
import type { OutboxRow } from './outbox';

/** Rows written in a transaction that is still open, by the runner that holds it. */
const pending = new WeakMap<QueryRunner, OutboxRow[]>();
/** Runners whose open transaction has had a failed statement. */
const doubtful = new WeakSet<QueryRunner>();

/** Remembers rows for the moment at which the runner's transaction has committed. Without a runner there is none to wait for: the sweep finds them. */
export function handOverAfterCommit(runner: QueryRunner | undefined, rows: readonly OutboxRow[]): void {
  if (!runner?.isTransactionActive) return;
  const before = pending.get(runner);
  if (before) before.push(...rows);
  else pending.set(runner, [...rows]);
}

/**
 * Hands the outbox rows of each transaction over as soon as it has committed, so that no service has to remember to. TypeORM tells of
 * every commit, those of savepoints too; only the outermost counts.
 */
export class AfterCommitSubscriber implements EntitySubscriberInterface {
  constructor(private readonly handOver: (rows: readonly OutboxRow[]) => void) {}

  /** Subscribes to the data source; the returned function ends that. */
  attach(dataSource: DataSource): () => void {
    dataSource.subscribers.push(this);
    return () => {
      const index = dataSource.subscribers.indexOf(this);
      if (index >= 0) dataSource.subscribers.splice(index, 1);
    };
  }

  afterQuery({ success, queryRunner }: AfterQueryEvent): void {
    if (!success && pending.has(queryRunner)) doubtful.add(queryRunner);
  }

  afterTransactionCommit({ queryRunner }: { queryRunner: QueryRunner }): void {
    if (queryRunner.isTransactionActive) return;
    const rows = take(queryRunner);
    // PostgreSQL answers COMMIT of a failed transaction with a rollback and no error. Where a statement failed, only the sweep can tell
    // whether the rows are there.
    const certain = !doubtful.delete(queryRunner);
    if (rows && certain) this.handOver(rows);
  }

  afterTransactionRollback({ queryRunner }: { queryRunner: QueryRunner }): void {
    // After a rollback to a savepoint some of the rows may be gone: leave them all to the sweep.
    take(queryRunner);
    if (!queryRunner.isTransactionActive) doubtful.delete(queryRunner);
  }
}

function take(runner: QueryRunner): OutboxRow[] | undefined {
  const rows = pending.get(runner);
  pending.delete(runner);
  return rows;
}
