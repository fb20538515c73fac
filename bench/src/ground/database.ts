import { Pool, type QueryResultRow } from 'pg';

/** The administrator's connection to the database: seeds, looks and counts, past all services. */
export class Database {
  private readonly pool: Pool;

  constructor(readonly url: string) {
    this.pool = new Pool({ connectionString: url, max: 2 });
    // One that breaks while it idles is told here; unheard, it would end the process.
    this.pool.on('error', () => undefined);
  }

  async rows<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.pool.query<R>(text, values)).rows;
  }

  /** The first row. @throws Error where there is none */
  async row<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<R> {
    const [first] = await this.rows<R>(text, values);
    if (first === undefined) throw new Error('The query gave no row');
    return first;
  }

  /** Several statements, as one transaction. */
  async run(text: string): Promise<void> {
    await this.pool.query(text);
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
