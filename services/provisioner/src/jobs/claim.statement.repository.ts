import { jobColumns } from './job-row.repository';

const TO_DO = `status IN ('waiting', 'running')`;
/**
 * That a job runs, in other words than the indexes of what is to be done have it, for statements that name their job. A planner that last saw nothing to
 * be done would take one of those indexes instead of the key, and read all that is to be done to find the one: measured, with 5,000 jobs, 7 ms
 * for each move of each job.
 */
export const runs = (jobs: string): string => `${jobs}.status || '' = 'running'`;

/** A job's tenant; jobs of none are one tenant's. An index has it, by this very expression. */
const TENANT = `coalesce(org_id, '')`;

/**
 * Claims are made one after the other, by whichever replica: only so can jobs of a tenant be counted. The lock ends with the transaction, and the
 * server ends that of a process that stands still in it. So do the settings. Each line is read by an index in whose order no more of it is read than is
 * taken; but the planner goes by what it last saw, and would rather read all that is to be done and sort it, where it saw nothing to be done, or through
 * a bitmap, where it saw much. Measured: with 20,000 jobs 52 ms instead of 3; with 5,000 that came after a quiet time 8.5 s, nearly as
 * long as the leases. (Before PostgreSQL 18 what is off is only made dear, by so much that the one sort that is left, of the heads, would have every
 * claim compiled.)
 */
export const ONE_CLAIM_AT_A_TIME = `
  SELECT pg_advisory_xact_lock(hashtextextended('provisioner claim', 0)), set_config('idle_in_transaction_session_timeout', '2000', true),
         set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true),
         set_config('jit', 'off', true)`;

/**
 * $1 worker, $2 how many, $3 lease in ms, $4 how many of one tenant may run at once.
 *
 * Fair between tenants: each tenant's jobs stand in a line of their own, the oldest first, behind those of its jobs that run already; the place
 * in that line is the turn. So a tenant's first job goes before another's second one, however many that one has; tenants of one turn go by age.
 * Each line is read by the index only as far as it can be taken; `MATERIALIZED` keeps a planner without statistics (a thousand jobs that came at
 * once) from reading it again for every job: measured 1 s instead of 1 ms.
 *
 * `available_at` is read again under the row's lock by PostgreSQL itself, so a job that was taken in between is not taken twice; where one is locked,
 * fewer are taken, and the rest at the next look. The status is asked for in other words there than the indexes of what is to be done have it: a planner
 * without statistics would take one of them, and read all that waits instead of the few that are named. A job whose older sibling is unfinished is
 * passed over.
 */
export const CLAIM = `
  WITH RECURSIVE tenants AS (
    (SELECT ${TENANT} AS tenant FROM jobs WHERE ${TO_DO} ORDER BY 1 LIMIT 1)
    UNION ALL
    SELECT (SELECT ${TENANT} FROM jobs WHERE ${TO_DO} AND ${TENANT} > t.tenant ORDER BY 1 LIMIT 1) FROM tenants t WHERE t.tenant IS NOT NULL
  ), running AS (
    SELECT tenant, count(*)::integer AS jobs
      FROM (SELECT ${TENANT} AS tenant FROM jobs WHERE ${TO_DO} AND ${runs('jobs')} AND available_at > now() ORDER BY available_at) r
     GROUP BY 1
  ), lines AS MATERIALIZED (
    SELECT l.id, l.available_at, coalesce(r.jobs, 0) + l.place AS turn
      FROM tenants t LEFT JOIN running r ON r.tenant = t.tenant
     CROSS JOIN LATERAL (
       SELECT j.id, j.available_at, row_number() OVER (ORDER BY j.available_at, j.id) AS place
         FROM jobs j
        WHERE ${TENANT} = t.tenant AND j.${TO_DO} AND j.available_at <= now()
          AND j.generation = (SELECT o.generation FROM jobs o WHERE o.workspace_id = j.workspace_id AND o.${TO_DO} ORDER BY 1 LIMIT 1)
        ORDER BY j.available_at, j.id
        LIMIT greatest(0, least($2::integer, $4::integer - coalesce(r.jobs, 0)))
     ) l
  ), first AS (
    SELECT id FROM lines ORDER BY turn, available_at LIMIT $2::integer
  ), due AS (
    SELECT j.id FROM jobs j
     WHERE j.id = ANY (ARRAY(SELECT id FROM first)) AND j.status NOT IN ('succeeded', 'failed') AND j.available_at <= now()
       FOR UPDATE OF j SKIP LOCKED
  ), claimed AS (
    UPDATE jobs j SET status = 'running', epoch = j.epoch + 1, worker = $1, available_at = now() + $3 * interval '1 millisecond'
      FROM due WHERE j.id = due.id
    RETURNING ${jobColumns('j')}
  )
  SELECT ${jobColumns('c')}, f.generation AS highest FROM claimed c JOIN fences f USING (workspace_id)`;
