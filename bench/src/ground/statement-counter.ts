import type { Database } from './database';

const MOST = 40;

/** PostgreSQL's own count of statements and their times. The server has to be started once more before it counts. */
export class StatementCounter {
  constructor(private readonly database: Database) {}

  /** To be called before the server is started again. */
  static readonly preload = `ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`;

  async begin(): Promise<void> {
    await this.database.run('CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public');
    await this.database.run('SELECT public.pg_stat_statements_reset()');
  }

  /** What has taken most since the beginning: how often, how long in all and each time, by whom. */
  async most(): Promise<string> {
    const rows = await this.database.rows<{ calls: string; total: number; mean: number; who: string; query: string }>(
      `SELECT s.calls, s.total_exec_time AS total, s.mean_exec_time AS mean, r.rolname AS who, s.query
         FROM public.pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid ORDER BY s.total_exec_time DESC LIMIT ${MOST}`,
    );
    return rows
      .map(
        ({ calls, total, mean, who, query }) =>
          `${calls} calls, ${total.toFixed(0)} ms, ${mean.toFixed(3)} ms each, ${who}\n${indented(query)}\n`,
      )
      .join('\n');
  }
}

function indented(query: string): string {
  return `    ${query.replace(/\s+/g, ' ').slice(0, 600)}`;
}
