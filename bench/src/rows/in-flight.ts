import type { Bench } from '../bench';
import { until } from '../ground/until';

const STALLED_AFTER_MS = 180_000;

/** Waits until every operation has ended. @throws Error where none does any more */
export async function allEnded({ database, turns: { signal } }: Bench): Promise<void> {
  let [last, changed] = [Infinity, performance.now()];
  await until(
    'all operations have ended',
    async () => {
      const sql = `SELECT count(*)::int AS open FROM lifecycle.operations WHERE status IN ('pending', 'running')`;
      const { open } = await database.row<{ open: number }>(sql);
      if (open !== last) [last, changed] = [open, performance.now()];
      if (performance.now() - changed > STALLED_AFTER_MS) throw new Error(`${open} operations have not ended, and nothing moves any more`);
      return open === 0;
    },
    { limitMs: Infinity, everyMs: 250, signal },
  );
}

/** When these restarts succeeded: how many there were a second, from the first to the last since then. */
export async function succeededPerSecond({ database }: Bench, since: Date): Promise<number> {
  const { count, seconds } = await database.row<{ count: number; seconds: number }>(
    `SELECT count(*)::int AS count, extract(epoch FROM max(finished_at) - min(finished_at))::float8 AS seconds
       FROM lifecycle.operations WHERE kind = 'restart' AND status = 'succeeded' AND finished_at >= $1`,
    [since],
  );
  return (count - 1) / seconds;
}
