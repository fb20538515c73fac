import {
  Gathering,
  isDivisionByZero,
  isLockTimeout,
  isStatementTimeout,
  isTransactionConflict,
  isTransientDatabaseError,
} from '@reprise/platform';
import { Injectable } from '@nestjs/common';
import { OneStatement, type Sql } from './one-statement';
import { UnitOfWork } from './unit-of-work';

/** More in one statement gain little (measured), and wait for each other's locks. */
const MOST = 4;

/** Under way before others wait, so that nobody does where there is no rush. */
const AT_ONCE = 4;

interface Waiting extends Sql {
  readonly writes: OneStatement;
}

/** What comes of each of a batch, as soon as it is known. */
type Outcomes = readonly Promise<boolean>[];

/**
 * Guarded writes without a transaction around them, each a statement of its own where it comes alone; what comes while one of the same text is under way
 * goes into one statement, to be written together or not at all. Where it was not at all, each is tried by itself: nobody fails for another one.
 */
@Injectable()
export class WritesTogether {
  /** As many as there are texts: what is bound in them is no part of them. */
  private readonly kinds = new Map<string, Gathering<Waiting[], Outcomes>>();

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** @returns whether it was written; it was not, where a part would have changed another number of rows than it must */
  async write(writes: OneStatement): Promise<boolean> {
    const sql = writes.guarded();
    let at = 0;
    const outcomes = await this.ofKind(sql.text).join((batch) => (at = batch.push({ ...sql, writes }) - 1));
    return outcomes[at] ?? false;
  }

  private ofKind(text: string): Gathering<Waiting[], Outcomes> {
    const known = this.kinds.get(text);
    if (known) return known;
    const texts = [text];
    const gathering = new Gathering<Waiting[], Outcomes>((batch) => this.writeAll(batch, texts), {
      empty: () => [],
      isFull: (batch) => batch.length >= MOST,
      atOnce: AT_ONCE,
    });
    this.kinds.set(text, gathering);
    return gathering;
  }

  /** @param texts of one of the kind, of two, and so on, as far as they were needed; each a connection keeps, too */
  private async writeAll(batch: readonly Waiting[], texts: string[]): Promise<Outcomes> {
    const [alone = ''] = texts;
    if (batch.length > 1) {
      const text = (texts[batch.length - 1] ??= OneStatement.guardedTogether(batch.map(({ writes }) => writes)).text);
      const values = batch.flatMap((each) => each.values);
      if (await this.written(text, values).catch(falseWhereEachMayDoBetter)) return batch.map(() => Promise.resolve(true));
    }
    const outcomes = batch.map(({ values }) => this.written(alone, values));
    const all = Promise.allSettled(outcomes);
    // Of several each is told as soon as it is written, whatever another one waits for.
    if (batch.length === 1) await all;
    return outcomes;
  }

  private async written(text: string, values: unknown[]): Promise<boolean> {
    try {
      await this.unitOfWork.manager.query(text, values);
      return true;
    } catch (error) {
      if (isDivisionByZero(error)) return false;
      throw error;
    }
  }
}

/** A database that is away is away for all of them; anything else may be one's own, also what all of them waited for. */
function falseWhereEachMayDoBetter(error: unknown): false {
  if (isTransientDatabaseError(error) && !isLockTimeout(error) && !isTransactionConflict(error) && !isStatementTimeout(error)) throw error;
  return false;
}
