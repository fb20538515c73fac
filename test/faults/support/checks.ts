import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QUEUES } from '@reprise/contracts';
import { eventually } from '../../support';
import type { Management } from '../../support/management';
import type { TenantOfRun } from '../actors/tenants';
import type { Bus, Seen } from './bus';
import type { Fleet } from './fleet';
import type { Ledger } from './ledger';
import type { PodsWatch } from './pods-watch';
import { must, type Rest } from './rest';

/** A message may wait five minutes for its last attempt. */
const QUIET_WITHIN_MS = 420_000;
/** Two replicas whose clocks are off write the journal of one job. */
const CLOCKS_APART_SECONDS = 40;
const SCHEMAS = ['lifecycle', 'provisioner', 'billing', 'deadletters'];

/** What a run leaves behind, looked at from outside: rows, files, processes, queues. */
export class Checks {
  constructor(
    private readonly fleet: Fleet,
    private readonly ledger: Ledger,
    private readonly pods: PodsWatch,
    private readonly bus: Bus,
    private readonly management: Management,
  ) {}

  /** Waits until nothing is on its way any more: no job, no operation, no message in a queue or an outbox. */
  async quiet(): Promise<void> {
    let moving = 'nothing was looked at';
    const still = async () => {
      moving = (await this.moving()).join(', ');
      if (moving !== '') throw new Error(moving);
      return true;
    };
    const wait = () => eventually(still, { within: QUIET_WITHIN_MS, every: 1_000 }).catch(() => false);
    const settled = await this.ledger.waits.during(() => `everything to come to rest: ${moving}`, wait);
    this.ledger.check(10, settled, () => `${QUIET_WITHIN_MS / 1000} s after the last fault there are still ${moving}`);
  }

  /**
   * A command whose every attempt met something that was away is dead, and an operator's to replay: which is done here, as he would. Messages that
   * are dead for another reason are left for the verdict.
   */
  async replay(operator: Rest): Promise<void> {
    const letters = await this.sql<{ id: string }>(
      `SELECT id FROM deadletters.dead_letters WHERE reason = 'retries_exhausted' AND status IN ('open', 'failed_again')`,
    );
    for (const { id } of letters) must(202, await operator.post(`/v1/ops/dead-letters/${id}/replay`));
    this.ledger.count('dead letters replayed', 'retries_exhausted', letters.length);
    if (letters.length > 0) await this.quiet();
  }

  /** 1, 9: whatever was promised has ended, and nothing was done that nobody was told of. */
  async operations(accepted: ReadonlyMap<string, string>): Promise<void> {
    const rows = await this.sql<{ id: string; workspace_id: string; status: string; generation: number }>(
      'SELECT id, workspace_id, status, generation FROM lifecycle.operations',
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    const begun = this.bus.begun();
    for (const id of accepted.keys()) {
      const status = found.get(id)?.status;
      this.ledger.check(1, status === 'succeeded' || status === 'failed', () => `${id} was promised, and is ${status ?? 'unknown'}`);
    }
    for (const { id, workspace_id } of rows)
      this.ledger.check(9, accepted.has(id) || begun.has(id), () => `${id} of ${workspace_id} was begun without an answer`);
    const counts = await this.sql<{ id: string; generation: number; operations: number }>(
      `SELECT w.id, w.generation, count(o.id)::int AS operations FROM lifecycle.workspaces w LEFT JOIN lifecycle.operations o ON o.workspace_id = w.id
        GROUP BY w.id`,
    );
    for (const { id, generation, operations } of counts) {
      this.ledger.check(9, generation === operations, () => `${id} is of generation ${generation} after ${operations} operations`);
    }
  }

  /** 2: the machine's pods are those that the records have, and no others. */
  async onePod(): Promise<void> {
    const rows = await this.sql<{ id: string; status: string; pod_generation: number | null }>(
      'SELECT id, status, pod_generation FROM lifecycle.workspaces',
    );
    const pods = this.pods.all();
    for (const { id, status, pod_generation } of rows) {
      const generations = pods.filter(({ workspaceId }) => workspaceId === id).map(({ generation }) => generation);
      const expected = pod_generation === null ? [] : [pod_generation];
      this.ledger.check(
        2,
        String(generations) === String(expected),
        () => `${id}, ${status}: its pods are [${String(generations)}], and should be [${String(expected)}]`,
      );
    }
    const known = new Set(rows.map(({ id }) => id));
    for (const { workspaceId } of pods) this.ledger.check(2, known.has(workspaceId), () => `a pod of ${workspaceId}, which nobody knows`);
  }

  /** 3: in the journal no teardown begins before a verification has succeeded; and every pod that has gone was saved, or was killed from outside. */
  async savedFirst(): Promise<void> {
    const torn = await this.sql<{ workspace_id: string; generation: number; saved: boolean }>(
      `SELECT j.workspace_id, j.generation,
              EXISTS (SELECT FROM provisioner.job_steps v WHERE v.job_id = j.id AND v.step = 'verify' AND v.status = 'succeeded'
                         AND v.finished_at <= t.started_at + make_interval(secs => $1)) AS saved
         FROM provisioner.jobs j JOIN provisioner.job_steps t ON t.job_id = j.id AND t.step = 'teardown' AND t.attempt = (
              SELECT min(attempt) FROM provisioner.job_steps f WHERE f.job_id = j.id AND f.step = 'teardown')`,
      [CLOCKS_APART_SECONDS],
    );
    for (const { workspace_id, saved } of torn)
      this.ledger.check(3, saved, () => `the pod of ${workspace_id} was torn down before it was saved`);
    // A resume, too, saves and removes a pod that an operation before it has left.
    const tornBy = new Map<string, number[]>();
    for (const { workspace_id, generation } of torn) tornBy.set(workspace_id, [...(tornBy.get(workspace_id) ?? []), generation]);
    const accounted = new Set<string>();
    const failed = await this.sql<{ workspace_id: string; generation: number }>(
      `SELECT workspace_id, generation FROM provisioner.jobs WHERE status = 'failed' AND kind IN ('create', 'replace')`,
    );
    // What a job that failed had begun to make held nothing of its own yet.
    for (const { workspace_id, generation } of failed) accounted.add(`${workspace_id}/${generation}`);
    for (const { workspaceId, generation, killed } of this.pods.gone) {
      const saved = tornBy.get(workspaceId)?.some((by) => by > generation) ?? false;
      const why = killed || saved || accounted.has(`${workspaceId}/${generation}`);
      const because = why || (await this.madeAgain(workspaceId, generation)) || (await this.wasOpened(workspaceId, generation));
      const journal = because ? '' : await this.journalOf(workspaceId);
      this.ledger.check(3, because, () => `the pod ${workspaceId}/${generation} went, and nothing says why: ${journal}`);
    }
  }

  /** 3, 4: every snapshot on record is on the disk, to the byte. */
  async snapshots(): Promise<number> {
    const rows = await this.sql<{ key: string; stored_sha256: string }>(
      `SELECT key, stored_sha256 FROM provisioner.snapshots WHERE status = 'verified'`,
    );
    for (const { key, stored_sha256: expected } of rows) {
      this.ledger.check(3, this.digestOf(key) === expected, () => `the snapshot ${key} is not on the disk as it is on record`);
    }
    return rows.length;
  }

  /** 5: each message was applied, or answered, or is about something that has ended; none is dead, none is left over. */
  async messages(): Promise<void> {
    const [applied, keys, operations, tasks, live, letters] = await Promise.all([
      this.setOf(SCHEMAS.map((schema) => `SELECT consumer || ' ' || message_id AS name FROM ${schema}.inbox`).join(' UNION ALL ')),
      this.setOf('SELECT key AS name FROM lifecycle.idempotency_keys'),
      this.setOf('SELECT id AS name FROM lifecycle.operations WHERE finished_at IS NOT NULL'),
      this.setOf('SELECT id AS name FROM lifecycle.tasks WHERE completed_at IS NOT NULL'),
      this.setOf(`SELECT id || '/' || pod_generation AS name FROM lifecycle.workspaces WHERE pod_generation IS NOT NULL`),
      this.sql<{ message_id: string; queue: string; type: string; reason: string; exception: string; status: string }>(
        `SELECT message_id, queue, type, reason, exception, status FROM deadletters.dead_letters WHERE status <> 'replayed'`,
      ),
    ]);
    const dead = new Set(letters.map(({ queue, message_id }) => `${queue} ${message_id}`));
    for (const { type, queue, reason, exception } of letters) {
      this.ledger.count('dead letters', `${type} (${queue}): ${reason}`);
      this.ledger.check(5, false, () => `a message of ours is dead: ${type} in ${queue}, ${reason}: ${exception}`);
    }
    const answered = ({ idempotencyKey }: Seen) => idempotencyKey !== undefined && keys.has(idempotencyKey);
    const past = ({ operationId, taskId, lostPod }: Seen) => {
      // The loss of a pod that is no workspace's any more changes nothing, and is not written down.
      if (lostPod) return !live.has(lostPod);
      return taskId ? tasks.has(taskId) : operationId !== undefined && operations.has(operationId);
    };
    for (const message of this.bus.seen.values()) {
      this.ledger.count('messages', message.type);
      if (message.copies > 1) this.ledger.count('messages that came more than once', message.type);
      for (const queue of QUEUE_OF.get(message.type) ?? []) {
        const name = `${queue} ${message.id}`;
        const accounted = applied.has(name) || dead.has(name) || answered(message) || past(message) || this.bus.toldOf(message.id);
        this.ledger.check(5, accounted, () => `${message.type} ${message.id} was sent to ${queue}, and what became of it is nowhere`);
      }
    }
  }

  /** 5, the other way round: what has ended was told by an event, and so was what became of every command. */
  async told(untold: ReadonlyMap<string, string>): Promise<void> {
    for (const [correlationId, what] of untold) {
      this.ledger.check(5, this.bus.hasTold(correlationId), () => `${what}, and nothing was ever told of it`);
    }
    const told = new Map<string, Set<string | undefined>>();
    for (const { type, operationId, taskId } of this.bus.seen.values()) {
      const about = type.startsWith('reprise.task.') ? taskId : operationId;
      told.set(type, (told.get(type) ?? new Set()).add(about));
    }
    const ENDS: [string, readonly string[]][] = [
      [`SELECT id FROM lifecycle.operations WHERE status = 'succeeded'`, ['reprise.operation.succeeded.v1']],
      [`SELECT id FROM lifecycle.operations WHERE status = 'failed'`, ['reprise.operation.failed.v1']],
      [`SELECT id FROM lifecycle.tasks WHERE completed_at IS NOT NULL`, ['reprise.task.ended.v1']],
      [
        `SELECT operation_id AS id FROM provisioner.jobs WHERE finished_at IS NOT NULL`,
        ['reprise.pod.ready.v1', 'reprise.pod.removed.v1', 'reprise.pod.job-failed.v1'],
      ],
    ];
    for (const [ended, types] of ENDS) {
      for (const { id } of await this.sql<{ id: string }>(ended)) {
        this.ledger.check(
          5,
          types.some((type) => told.get(type)?.has(id)),
          () => `the end of ${id} was told by no ${types.join(', ')}`,
        );
      }
    }
  }

  /** 7: each tenant sees its own workspaces, all of them and no others. */
  async tenants(tenants: readonly TenantOfRun[], workspacesOf: ReadonlyMap<TenantOfRun, readonly string[]>): Promise<void> {
    for (const tenant of tenants) {
      const { body } = await tenant.rest.get<{ workspaces: { id: string }[] }>('/v1/workspaces?limit=100');
      const [listed, own] = [body.workspaces.map(({ id }) => id).sort(), [...(workspacesOf.get(tenant) ?? [])].sort()];
      this.ledger.check(7, String(listed) === String(own), () => `${tenant.org} sees ${listed.length} workspaces, and has ${own.length}`);
    }
  }

  private async moving(): Promise<string[]> {
    const [counts] = await this.sql<Record<string, number>>(
      `SELECT (SELECT count(*)::int FROM provisioner.jobs WHERE status IN ('waiting', 'running')) AS jobs,
              (SELECT count(*)::int FROM lifecycle.operations WHERE finished_at IS NULL) AS operations,
              ${SCHEMAS.map((schema) => `(SELECT count(*)::int FROM ${schema}.outbox) AS "outbox of ${schema}"`).join(', ')}`,
    );
    const queues = (await this.management.queues(this.fleet.ground.vhost)).map(
      ({ name, messages }) => [`messages in ${name}`, messages] as const,
    );
    return [...Object.entries(counts!), ...queues].filter(([, n]) => n > 0).map(([what, n]) => `${n} ${what}`);
  }

  /** Whether a pod went because its own job made it a second time: the first attempt's process had to go. */
  private async madeAgain(workspaceId: string, generation: number): Promise<boolean> {
    const rows = await this.sql(
      `SELECT 1 FROM provisioner.job_steps s JOIN provisioner.jobs j ON j.id = s.job_id
        WHERE j.workspace_id = $1 AND j.generation = $2 AND s.step = 'create' AND s.attempt > 1`,
      [workspaceId, generation],
    );
    return rows.length > 0;
  }

  /** Whether a pod went because it was deaf, and a salvage opened what it held: its files must be where they were, for the next resume to save. */
  private async wasOpened(workspaceId: string, generation: number): Promise<boolean> {
    const rows = await this.sql(
      `SELECT 1 FROM provisioner.job_steps s JOIN provisioner.jobs j ON j.id = s.job_id
        WHERE j.workspace_id = $1 AND j.pod_generation = $2 AND s.step = 'salvage'`,
      [workspaceId, generation],
    );
    const pods = join(this.fleet.directory, 'pods', workspaceId);
    const held = this.textOf(join(pods, 'files-of'))?.trim() === String(generation) && existsSync(join(pods, 'workspace'));
    return rows.length > 0 && (held || existsSync(join(pods, String(generation), 'workspace')));
  }

  /** What the provisioner did with a workspace, in a line. */
  private async journalOf(workspaceId: string): Promise<string> {
    const steps = await this.sql<{ line: string }>(
      `SELECT concat(j.kind, ' ', j.generation, ' of pod ', j.pod_generation, ': ', s.step, ' ', s.attempt, ' ', s.status, ' ', s.detail) AS line
         FROM provisioner.jobs j JOIN provisioner.job_steps s ON s.job_id = j.id WHERE j.workspace_id = $1 ORDER BY j.generation, s.started_at`,
      [workspaceId],
    );
    return steps.map(({ line }) => line).join('; ');
  }

  private textOf(path: string): string | null {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  }

  private digestOf(key: string): string | null {
    try {
      return createHash('sha256')
        .update(readFileSync(join(this.fleet.directory, 'snapshots', key)))
        .digest('hex');
    } catch {
      return null;
    }
  }

  private async setOf(text: string): Promise<Set<string>> {
    return new Set((await this.sql<{ name: string }>(text)).map(({ name }) => name));
  }

  private sql<R extends object>(text: string, parameters: unknown[] = []): Promise<R[]> {
    return this.fleet.ground.sql<R>(text, parameters);
  }
}

/** The work queues that each type of message goes to. */
const QUEUE_OF = new Map<string, string[]>();
for (const { name, kind, bindings } of QUEUES) {
  if (kind !== 'work') continue;
  for (const { routingKey } of bindings) QUEUE_OF.set(routingKey, [...(QUEUE_OF.get(routingKey) ?? []), name]);
}
