import { LARGEST_GENERATION_GAP } from '@reprise/contracts';
import type { MessageContext } from '@reprise/messaging';
import { runs } from './claim.statement.repository';
import type { JobOrder } from './job';
import type { Advance } from './transition';

/** Adds a value to the statement and answers its placeholder. */
type Bind = (value: unknown) => string;

export interface Statement {
  sql: string;
  parameters: unknown[];
}

export const HEARTBEAT = `
  WITH held AS (
    UPDATE jobs j SET available_at = now() + $3 * interval '1 millisecond'
      FROM unnest($1::text[], $2::integer[]) AS l(id, epoch)
     WHERE j.id = l.id AND j.epoch = l.epoch AND ${runs('j')}
    RETURNING j.id, j.epoch
  )
  SELECT id, epoch FROM held`;

/** $1 job, $2 epoch, $3 workspace: the highest accepted generation of the workspace, while the lease is held. */
export const FENCE = `
  SELECT f.generation FROM fences f, jobs j
   WHERE f.workspace_id = $3 AND j.id = $1 AND j.epoch = $2 AND ${runs('j')} AND j.available_at > now()`;

/**
 * Inbox row, fence and job in one statement: a message that was seen raises no fence, and a fence that does not rise makes no job. A generation too far
 * above the fence writes nothing at all.
 */
export function acceptStatement(message: Pick<MessageContext, 'id' | 'queue' | 'bodyHash'>, order: JobOrder): Statement {
  const parameters: unknown[] = [];
  const bind: Bind = (value) => `$${parameters.push(value)}`;
  const columns: Record<string, unknown> = {
    id: order.id,
    kind: order.kind,
    operation_id: order.operationId,
    workspace_id: order.workspaceId,
    org_id: order.orgId,
    generation: order.generation,
    pod_generation: order.podGeneration,
    spec: order.spec,
    snapshot_id: order.snapshotId,
    from_snapshot: order.fromSnapshot,
    without_snapshot: order.withoutSnapshot,
    deadline_at: order.deadlineAt.toISOString(),
    accepted_at: order.acceptedAt.toISOString(),
    correlation_id: order.correlationId,
    traceparent: order.traceparent,
    actor: order.actor,
  };
  const names = Object.keys(columns).join(', ');
  const workspace = bind(order.workspaceId);
  const generation = bind(order.generation);
  const sql = `
    WITH plausible AS (
      SELECT WHERE ${generation}::bigint <= coalesce((SELECT f.generation FROM fences f WHERE f.workspace_id = ${workspace}), 0) + ${LARGEST_GENERATION_GAP}
    ), fresh AS (
      INSERT INTO inbox (consumer, message_id, body_hash)
      SELECT ${bind(message.queue)}, ${bind(message.id)}, ${bind(message.bodyHash)}::bytea WHERE EXISTS (SELECT FROM plausible)
      ON CONFLICT DO NOTHING RETURNING 1
    ), raised AS (
      INSERT INTO fences AS f (workspace_id, generation)
      SELECT ${workspace}, ${generation}::bigint::integer WHERE EXISTS (SELECT FROM fresh)
      ON CONFLICT (workspace_id) DO UPDATE SET generation = EXCLUDED.generation WHERE f.generation < EXCLUDED.generation
      RETURNING 1
    ), job AS (
      INSERT INTO jobs (${names})
      SELECT ${names} FROM json_populate_record(NULL::jobs, ${bind(JSON.stringify(columns))}::json) WHERE EXISTS (SELECT FROM raised)
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM plausible) AS plausible, EXISTS (SELECT FROM fresh) AS fresh, EXISTS (SELECT FROM job) AS accepted`;
  return { sql, parameters };
}

/** One move of a job. Every part depends on `held`: the job's row, updated under its epoch. Parts that write nothing are left out. */
export function advanceStatement(
  { job, waitMs, changes, pods, snapshots, messages }: Advance,
  worker: string,
  leaseMs: number,
  insertMessages: (bind: Bind, condition: string) => string,
): Statement {
  const parameters: unknown[] = [];
  const bind: Bind = (value) => `$${parameters.push(value)}`;
  const ended = job.status === 'succeeded' || job.status === 'failed';
  const parts = [
    `held AS (
      UPDATE jobs SET
        status = ${bind(job.status)}, step = ${bind(job.step)}, attempt = ${bind(job.attempt)}, begun = ${bind(job.begun)},
        failures = ${bind(job.failures)}, pod_generation = ${bind(job.podGeneration)}, snapshot_id = ${bind(job.snapshotId)},
        new_snapshot_id = ${bind(job.newSnapshotId)}, salvage = ${bind(job.salvage)}, state_lost = ${bind(job.stateLost)}, ending = ${bind(job.ending === null ? null : JSON.stringify(job.ending))}::jsonb,
        available_at = now() + ${bind(job.status === 'running' ? leaseMs : waitMs)} * interval '1 millisecond',
        finished_at = ${ended ? 'now()' : 'NULL'}
      WHERE id = ${bind(job.id)} AND epoch = ${bind(job.epoch)} AND ${runs('jobs')}
      RETURNING id, workspace_id, org_id, generation
    )`,
  ];
  if (changes.length > 0) parts.push(journalPart(bind(JSON.stringify(changes)), bind(worker)));
  const made = pods.filter((pod) => pod.status === 'creating');
  const changed = pods.filter((pod) => pod.status !== 'creating');
  if (made.length > 0) parts.push(madePodsPart(bind(JSON.stringify(made))));
  changed.forEach((pod, at) => {
    const row = bind(JSON.stringify(pod));
    parts.push(changedPodPart(row, at));
    if (pod.status === 'live') parts.push(settledPodsPart(row, at));
  });
  snapshots.forEach((snapshot, at) => {
    const { id, status, key, record, reason } = snapshot;
    const row = bind(JSON.stringify({ id, status, reason, ...record, key: key ?? record?.key }));
    parts.push(status === 'writing' ? newSnapshotPart(row, at) : changedSnapshotPart(row, at));
  });
  if (messages.length > 0) parts.push(`sent AS (${insertMessages(bind, 'EXISTS (SELECT FROM held)')})`);
  const sql = `WITH ${parts.join(', ')} SELECT f.generation AS highest FROM held JOIN fences f USING (workspace_id)`;
  return { sql, parameters };
}

function journalPart(changes: string, worker: string): string {
  return `journal AS (
    INSERT INTO job_steps (job_id, step, attempt, status, started_at, finished_at, detail, worker)
    SELECT held.id, c.step, c.attempt, c.status, c.at, CASE WHEN c.status <> 'started' THEN c.at END, c.detail, ${worker}
      FROM held, json_to_recordset(${changes}::json) AS c(step text, attempt integer, status text, at timestamptz, detail text)
    ON CONFLICT (job_id, step, attempt) DO UPDATE SET status = EXCLUDED.status, finished_at = EXCLUDED.finished_at, detail = EXCLUDED.detail
  )`;
}

function madePodsPart(pods: string): string {
  return `made AS (
    INSERT INTO pods (workspace_id, generation, org_id, status)
    SELECT p."workspaceId", p.generation, held.org_id, p.status
      FROM held, json_to_recordset(${pods}::json) AS p("workspaceId" text, generation integer, status text)
    ON CONFLICT (workspace_id, generation) DO UPDATE SET status = EXCLUDED.status, updated_at = now()
  )`;
}

/** A part for each: of a record set the planner expects a hundred rows, and reads the whole table for them. */
function changedPodPart(pod: string, at: number): string {
  return `changed${at} AS (
    UPDATE pods SET status = p.status, address = coalesce(p.address, pods.address), updated_at = now(),
           unsaved = coalesce(p.unsaved, CASE p.status WHEN 'lost' THEN true WHEN 'removing' THEN false ELSE pods.unsaved END)
      FROM held, json_to_record(${pod}::json) AS p("workspaceId" text, generation integer, status text, address text, unsaved boolean)
     WHERE pods.workspace_id = p."workspaceId" AND pods.generation = p.generation
  )`;
}

/** A pod that is live has been told what the ones before it took with them. */
function settledPodsPart(pod: string, at: number): string {
  return `settled${at} AS (
    UPDATE pods SET unsaved = false
      FROM held, json_to_record(${pod}::json) AS p("workspaceId" text, generation integer)
     WHERE pods.workspace_id = p."workspaceId" AND pods.generation < p.generation AND pods.unsaved
  )`;
}

function newSnapshotPart(row: string, at: number): string {
  return `snapshot${at} AS (
    INSERT INTO snapshots (id, workspace_id, org_id, generation, status, key, reason)
    SELECT s.id, held.workspace_id, held.org_id, held.generation, s.status, s.key, s.reason
      FROM held, json_to_record(${row}::json) AS s(id text, status text, key text, reason text)
    ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, key = EXCLUDED.key, created_at = now()
  )`;
}

function changedSnapshotPart(row: string, at: number): string {
  return `snapshot${at} AS (
    UPDATE snapshots SET
      status = s.status,
      tar_sha256 = coalesce(s."tarSha256", snapshots.tar_sha256), tar_bytes = coalesce(s."tarBytes", snapshots.tar_bytes),
      entries = coalesce(s.entries, snapshots.entries), stored_sha256 = coalesce(s."storedSha256", snapshots.stored_sha256),
      stored_bytes = coalesce(s."storedBytes", snapshots.stored_bytes), encoding = coalesce(s.encoding, snapshots.encoding),
      verified_at = CASE WHEN s.status = 'verified' THEN now() END
      FROM held, json_to_record(${row}::json) AS s(id text, status text, "tarSha256" text, "tarBytes" bigint, entries integer,
                                                   "storedSha256" text, "storedBytes" bigint, encoding text)
     WHERE snapshots.id = s.id
  )`;
}
