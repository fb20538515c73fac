import { Client, type ClientConfig } from 'pg';
import { isReadOnly, isStalePlan } from './errors';

/** How many statements a connection keeps prepared; more than the services use, unless one is put together anew each time. */
const MOST_STATEMENTS = 300;
/**
 * `*` as a list of columns: its columns are others after a migration, and a statement that was prepared before fails then. A product has an operand
 * before it, and `count(*)` a parenthesis on both sides; what cannot be told from a list counts as one.
 */
const ALL_COLUMNS =
  /(?:^|[^\w)\]'"\s(]|\b(?:SELECT|RETURNING|ALL|DISTINCT))\s*\*|\(\s*\*(?!\s*\))|\b(?:DISTINCT\s+ON|RETURNING\s+WITH)\b[^*]*\)\s*\*/i;

/**
 * A connection that hears its own errors, and that prepares its statements.
 *
 * The server may end a connection at any moment, also while nobody's: between the pool, which listens to those that idle, and whoever has just been
 * given it. An error that nobody hears would end the process. Whoever uses the connection next is told by his own query.
 *
 * One that turns out to be read-only is closed: after a failover the old server may go on as a standby, and only a new connection reaches the one that
 * takes writes.
 *
 * A statement with parameters is parsed and planned once a connection instead of each time, which for the largest of ours is two thirds of its cost.
 * One that a migration has made stale fails once, with an error that is transient (`isTransientDatabaseError`), and is prepared anew.
 */
export class ServiceClient extends Client {
  private readonly names = new Map<string, string>();
  private prepared = 0;

  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }

  // What it takes in all its forms, of which `text, values` with a promise is the one that is prepared.
  override query = ((...args: unknown[]): unknown => {
    const [text, values] = args;
    const name =
      args.length === 2 && typeof text === 'string' && Array.isArray(values) && values.length > 0 ? this.nameOf(text) : undefined;
    const answer =
      name === undefined
        ? (super.query as (...all: unknown[]) => unknown)(...args)
        : super.query({ name, text: text as string, values: values as unknown[] });
    if (answer instanceof Promise) {
      answer.catch((error: unknown) => {
        if (name !== undefined && isStalePlan(error)) this.names.delete(text as string);
        if (isReadOnly(error)) this.end().catch(() => undefined);
      });
    }
    return answer;
  }) as Client['query'];

  private nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    if (this.names.size >= MOST_STATEMENTS || ALL_COLUMNS.test(text)) return undefined;
    const name = `s${++this.prepared}`;
    this.names.set(text, name);
    return name;
  }
}
