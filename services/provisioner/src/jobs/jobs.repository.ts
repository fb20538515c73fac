import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Inbox, type MessageContext, Outbox, OutboxRelay } from '@reprise/messaging';
import { inTransactionSpan } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { implausibleGeneration } from '../inventory/plausible-generation';
import type { Job, JobOrder } from './job';
import { CLAIM, ONE_CLAIM_AT_A_TIME } from './claim.statement.repository';
import { acceptStatement, advanceStatement, FENCE, HEARTBEAT } from './jobs.statements.repository';
import { toJob, type JobRow } from './job-row.repository';
import type { Advance } from './transition';

/** `duplicate`: the message was applied before. `stale`: its generation is not above the highest known of the workspace. */
export type Acceptance = 'accepted' | 'duplicate' | 'stale';

/** What names a lease: a job, and the claim that it came from. */
export type LeaseKey = Pick<Job, 'id' | 'epoch'>;

/** The only SQL on jobs, their journal and, since they are written in the same statement, the records of pods and snapshots. */
@Injectable()
export class JobsRepository {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    private readonly inbox: Inbox,
    private readonly outbox: Outbox,
    private readonly relay: OutboxRelay,
  ) {}

  /**
   * Remembers the message, raises the workspace's fence and adds the job: all three or, where the message or its generation is old, no job.
   * @throws DeadLetter where the message's id was used for another message, or its generation is too far above the fence
   */
  async accept(message: Pick<MessageContext, 'id' | 'queue' | 'bodyHash'>, order: JobOrder): Promise<Acceptance> {
    const { sql, parameters } = acceptStatement(message, order);
    const [row] = await inTransactionSpan(() =>
      this.database.query<{ plausible: boolean; fresh: boolean; accepted: boolean }[]>(sql, parameters),
    );
    if (row?.accepted) return 'accepted';
    if (row?.fresh) return 'stale';
    if (row?.plausible === false) throw implausibleGeneration(order.workspaceId, order.generation);
    await this.inbox.find(this.database, message);
    return 'duplicate';
  }

  /**
   * Takes jobs that nobody holds, each for `leaseMs` by the database's clock. Tenants take turns; of one tenant those come first that have waited
   * longest, and never do more than `tenantLimit` run at once, on all replicas together. Of one workspace only the oldest unfinished job is ever
   * taken, so two operations never work at one workspace at once.
   */
  async claim(worker: string, limit: number, leaseMs: number, tenantLimit: number): Promise<Job[]> {
    // What polls finds nothing most of the time, and need not stand in line for it.
    if (!(await this.isAnyDue())) return [];
    const rows = await this.database.transaction(async (manager) => {
      await manager.query(ONE_CLAIM_AT_A_TIME);
      return manager.query<JobRow[]>(CLAIM, [worker, limit, leaseMs, tenantLimit]);
    });
    return rows.map(toJob);
  }

  private async isAnyDue(): Promise<boolean> {
    const due: unknown[] = await this.database.query(
      `SELECT FROM jobs WHERE status IN ('waiting', 'running') AND available_at <= now() ORDER BY available_at LIMIT 1`,
    );
    return due.length > 0;
  }

  /** Prolongs leases; answers those that are still held. */
  async heartbeat(leases: readonly LeaseKey[], leaseMs: number): Promise<LeaseKey[]> {
    return this.database.query<LeaseKey[]>(HEARTBEAT, [leases.map((l) => l.id), leases.map((l) => l.epoch), leaseMs]);
  }

  /**
   * Writes one move of a job: the job, its journal, the records, the outgoing messages, in one statement under the job's epoch. Answers the
   * job as it is now, or null where the lease is lost and nothing was written.
   */
  async advance(advance: Advance, worker: string, leaseMs: number): Promise<Job | null> {
    const batch = this.outbox.prepare(advance.messages);
    const { sql, parameters } = advanceStatement(advance, worker, leaseMs, (bind, condition) =>
      this.outbox.insertSql(bind(batch.parameter), condition),
    );
    const [row] = await inTransactionSpan(() => this.database.query<{ highest: number }[]>(sql, parameters));
    if (!row) return null;
    this.relay.wake(batch);
    return { ...advance.job, highestGeneration: row.highest };
  }

  /** The workspace's highest accepted generation, as long as the lease is held; null when it is lost. */
  async fenceOf({ id, epoch, workspaceId }: Pick<Job, 'id' | 'epoch' | 'workspaceId'>): Promise<number | null> {
    const [row] = await this.database.query<{ generation: number }[]>(FENCE, [id, epoch, workspaceId]);
    return row?.generation ?? null;
  }
}
