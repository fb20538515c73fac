import { Gathering, isDivisionByZero, isLockTimeout, isTransactionConflict, isTransientDatabaseError } from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import { OneStatement, type Sql } from './one-statement';
import { UnitOfWork } from './unit-of-work';

/** More in one statement gain little (measured), and wait for each other's locks. */
const MOST = 4;

interface Waiting extends Sql {
  readonly writes: OneStatement;
}

/** What came of one of a batch: whether it was written, or why not. */
type Outcome = PromiseSettledResult<boolean>;

/**
 * Guarded writes without a transaction around them, each a statement of its own where it comes alone; what comes while one of the same text is under way
 * goes into one statement, to be written together or not at all. Where it was not at all, each is tried by itself: nobody fails for another one.
 */
@Injectable()
export class WritesTogether {
  private readonly kinds = new Map<string, Gathering<Waiting[], Outcome[]>>();

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** @returns whether it was written; it was not, where a part would have changed another number of rows than it must */
  async write(writes: OneStatement): Promise<boolean> {
    const sql = writes.guarded();
    let at = 0;
    const outcomes = await this.ofKind(sql.text).join((batch) => (at = batch.push({ ...sql, writes }) - 1));
    const outcome = outcomes[at];
    if (outcome?.status !== 'fulfilled') throw outcome?.reason;
    return outcome.value;
  }

  /** There are as many as there are texts: what is bound in them is no part of them. */
  private ofKind(text: string): Gathering<Waiting[], Outcome[]> {
    const known = this.kinds.get(text);
    if (known) return known;
    const texts: string[] = [];
    const gathering = new Gathering((batch: Waiting[]) => this.writeAll(batch, texts), {
      empty: () => [],
      isFull: (batch) => batch.length >= MOST,
    });
    this.kinds.set(text, gathering);
    return gathering;
  }

  /** @param texts of as many of the kind, by their number, as far as they were needed */
  private async writeAll(batch: readonly Waiting[], texts: string[]): Promise<Outcome[]> {
    if (batch.length > 1) {
      const text = (texts[batch.length] ??= OneStatement.guardedTogether(batch.map(({ writes }) => writes)).text);
      const values = batch.flatMap((each) => each.values);
      if (await this.written({ text, values }).catch(falseWhereEachMayDoBetter))
        return batch.map(() => ({ status: 'fulfilled', value: true }));
    }
    return Promise.allSettled(batch.map((each) => this.written(each)));
  }

  private async written({ text, values }: Sql): Promise<boolean> {
    try {
      await this.unitOfWork.manager.query(text, values);
      return true;
    } catch (error) {
      if (isDivisionByZero(error)) return false;
      throw error;
    }
  }
}

/** A database that is away is away for all of them; anything else may be one's own. */
function falseWhereEachMayDoBetter(error: unknown): false {
  if (isTransientDatabaseError(error) && !isLockTimeout(error) && !isTransactionConflict(error)) throw error;
  return false;
}
