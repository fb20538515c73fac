import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@reprise/contracts';
import type { MessageContext } from '@reprise/messaging';
import type { Job } from '../../src/jobs/job';
import { CLAIM, ONE_CLAIM_AT_A_TIME } from '../../src/jobs/claim.statement.repository';
import { JobsRepository } from '../../src/jobs/jobs.repository';
import { advanceStatement, FENCE, HEARTBEAT } from '../../src/jobs/jobs.statements.repository';
import { JobsService } from '../../src/jobs/jobs.service';
import { Transition } from '../../src/jobs/transition';
import { JobRunner } from '../../src/worker/job-runner';
import { Replica } from './support/replica';
import { waitFor } from './support/wait-for';
import { aMessage, Workspace, World } from './support/world';

const TENANT_CONCURRENCY = 6;
const JOB_MS = 20;

describe('capacity between tenants', () => {
  let world: World;
  const replicas: Replica[] = [];
  let jobs: JobsRepository;
  /** Every job as it was begun. */
  let begun: Job[];
  let most: number;

  beforeAll(async () => {
    world = await World.make();
    // Statistics are those that a test asks for.
    await world.database.query('ALTER TABLE jobs SET (autovacuum_enabled = off)');
  });

  beforeEach(async () => {
    await world.database.query('TRUNCATE job_steps, jobs, fences CASCADE');
    begun = [];
    most = 0;
    const running = new Map<string, number>();
    // What a job does is not what this is about: it takes a while, and is done.
    jest.spyOn(JobRunner.prototype, 'run').mockImplementation(async function (this: JobRunner, job, { worker }) {
      const tenant = job.orgId!;
      begun.push(job);
      running.set(tenant, (running.get(tenant) ?? 0) + 1);
      most = Math.max(most, running.get(tenant)!);
      await sleep(JOB_MS);
      running.set(tenant, running.get(tenant)! - 1);
      await (this as unknown as { jobs: JobsRepository }).jobs.advance(new Transition(job, new Date()).finish().advance(), worker, 10_000);
      return { ended: 'done' };
    });
  });

  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.stop()));
    jest.restoreAllMocks();
  });

  afterAll(async () => world?.end());

  async function start(count: number, { hangs = false } = {}): Promise<void> {
    const env = { WORKER_CONCURRENCY: '8', TENANT_CONCURRENCY: String(TENANT_CONCURRENCY) };
    for (let i = 0; i < count; i += 1) replicas.push(await Replica.start(world, { env, hangs }));
    jobs = replicas[0]!.jobs;
  }

  /** Jobs of one tenant, each of a workspace of its own, as if they had been accepted. */
  async function restartEverything(tenant: string, count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => newId('workspace'));
    await world.database.query(
      `WITH f AS (INSERT INTO fences (workspace_id, generation) SELECT w, 2 FROM unnest($1::text[]) w)
       INSERT INTO jobs (id, kind, operation_id, workspace_id, org_id, generation, pod_generation, spec, deadline_at, accepted_at, correlation_id)
       SELECT 'job_' || w, 'replace', 'op_' || w, w, $2, 2, 1, '{}', now() + interval '1 hour', now(), w FROM unnest($1::text[]) w`,
      [ids, tenant],
    );
  }

  it('a tenant that restarts a thousand workspaces does not hold up another’s one', async () => {
    await start(1);
    await restartEverything('noisy', 1_000);
    await waitFor(() => begun.length >= 30, 'the thousand to be well under way');
    const before = begun.length;
    const workspace = new Workspace(world);
    const message = { ...aMessage(), orgId: 'quiet' } as MessageContext;
    await replicas[0]!.get(JobsService).create(workspace.createCommand(), message);
    await waitFor(() => begun.some(({ orgId }) => orgId === 'quiet'), 'the other tenant’s turn');
    const passed = begun.findIndex(({ orgId }) => orgId === 'quiet') - before;
    // Those of the first tenant that began in the meantime: what its own slots let through, not its line.
    expect(passed).toBeLessThan(30);
    await waitFor(() => begun.length === 1_001, 'the end of all', 60_000);
    expect(new Set(begun.map(({ id }) => id)).size).toBe(1_001);
    expect(most).toBe(TENANT_CONCURRENCY);
  });

  type Explained = { 'QUERY PLAN': [{ Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number; 'Actual Rows': number } }] }[];

  /** Twenty tenants' lines, and what the planner knew of them when they came. */
  async function fiveThousand(statistics: Statistics): Promise<void> {
    if (statistics === 'of a quiet time') {
      await restartEverything('earlier', 1_000);
      await world.database.query(`UPDATE jobs SET status = 'succeeded', finished_at = now()`);
      await world.database.query('VACUUM ANALYZE jobs');
    }
    for (let tenant = 0; tenant < 20; tenant += 1) await restartEverything(`tenant-${tenant}`, 250);
    if (statistics === 'of these jobs') await world.database.query('ANALYZE jobs');
  }
  type Statistics = 'of these jobs' | 'of a quiet time' | 'of an emptied table';

  it.each<[Statistics, string]>([
    ['of an emptied table', 'custom'],
    ['of these jobs', 'custom'],
    ['of a quiet time', 'custom'],
    ['of an emptied table', 'generic'],
    ['of these jobs', 'generic'],
    ['of a quiet time', 'generic'],
  ])('a claim reads the heads of the lines alone, however long: statistics %s, a %s plan', async (statistics, plan) => {
    await fiveThousand(statistics);
    const pages = await world.database.transaction(async (manager) => {
      await manager.query(ONE_CLAIM_AT_A_TIME);
      await manager.query(`SET LOCAL plan_cache_mode = force_${plan}_plan`);
      await manager.query(`PREPARE claim AS ${CLAIM}`);
      const [row] = await manager.query<Explained>(
        `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE claim ('worker', 2, 10000, ${TENANT_CONCURRENCY})`,
      );
      await manager.query('DEALLOCATE claim');
      const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read, 'Actual Rows': claimed } = row!['QUERY PLAN'][0].Plan;
      expect(claimed).toBe(2);
      return hit + read;
    });
    // Twenty heads of two jobs, each with a few pages of index and the look for an older sibling. All lines together would be tens of thousands.
    expect(pages).toBeLessThan(2_000);
  });

  it.each<Statistics>(['of an emptied table', 'of these jobs', 'of a quiet time'])(
    'what names its job reads that one alone, however many are to be done: statistics %s',
    async (statistics) => {
      await start(1, { hangs: true });
      await fiveThousand(statistics);
      const [job] = await JobsRepository.prototype.claim.call(jobs, 'me', 1, 60_000, 1);
      const { id, epoch } = job!;
      const advance = new Transition(job!, new Date()).begin('quiesce', () => ({})).advance();
      const statements: [string, unknown[]][] = [
        [HEARTBEAT, [[id], [epoch], 60_000]],
        [FENCE, [id, epoch, job!.workspaceId]],
        ((s) => [s.sql, s.parameters])(advanceStatement({ ...advance, messages: [] }, 'me', 60_000, () => '')),
      ];
      for (const [sql, parameters] of statements) {
        const [row] = await world.database.query<Explained>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, parameters);
        const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read, 'Actual Rows': rows } = row!['QUERY PLAN'][0].Plan;
        expect([sql, rows]).toEqual([sql, 1]);
        // By the key some twenty; by what is to be done 180.
        expect([sql, hit + read < 60]).toEqual([sql, true]);
      }
    },
  );

  it('no more jobs of a tenant run at once than it may have, on three replicas together', async () => {
    await restartEverything('noisy', 200);
    await start(3);
    await waitFor(() => begun.length === 200, 'the end of all', 30_000);
    expect(new Set(begun.map(({ id }) => id)).size).toBe(200);
    expect(most).toBe(TENANT_CONCURRENCY);
  });

  it('tenants take turns, whoever came first and however many each has', async () => {
    await start(1, { hangs: true });
    await restartEverything('first', 20);
    await restartEverything('second', 3);
    await restartEverything('third', 1);
    const claimed = await JobsRepository.prototype.claim.call(jobs, 'me', 8, 60_000, 5);
    const count = (tenant: string) => claimed.filter(({ orgId }) => orgId === tenant).length;
    expect([count('first'), count('second'), count('third')]).toEqual([4, 3, 1]);
    // Its fifth is its last slot.
    const more = await JobsRepository.prototype.claim.call(jobs, 'me', 8, 60_000, 5);
    expect(more.map(({ orgId }) => orgId)).toEqual(['first']);
  });

  it('a job that waits for its next attempt takes none of its tenant’s slots', async () => {
    await start(1, { hangs: true });
    await restartEverything('first', 3);
    const [job] = await JobsRepository.prototype.claim.call(jobs, 'me', 1, 60_000, 1);
    const parked = new Transition(job!, new Date()).park('quiesce', 60_000).advance();
    await JobsRepository.prototype.advance.call(jobs, parked, 'me', 60_000);
    const next = await JobsRepository.prototype.claim.call(jobs, 'me', 1, 60_000, 1);
    expect(next).toHaveLength(1);
    expect(next[0]!.id).not.toBe(job!.id);
  });
});
