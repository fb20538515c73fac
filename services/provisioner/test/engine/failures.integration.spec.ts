import { JobsService } from '../../src/jobs/jobs.service';
import { PodError } from '../../src/pods/pod-driver';
import { SnapshotStoreError } from '../../src/snapshots/snapshot-store';
import { faultyDriver, faultyStore } from './support/faults';
import { Replica, type ReplicaOptions } from './support/replica';
import { aMessage, Workspace, World } from './support/world';

describe('a job that cannot reach its goal', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
  });

  afterEach(async () => replica.stop());
  afterAll(async () => world?.end());

  /** A workspace with a file in it, and then a replica with this fault. */
  async function workspaceBefore(options: ReplicaOptions, deadlineSeconds?: number): Promise<Workspace> {
    const healthy = await Replica.start(world);
    const workspace = new Workspace(world, deadlineSeconds);
    await workspace.create(healthy);
    await world.sh(workspace.id, 'echo kept > file');
    await healthy.stop();
    replica = await Replica.start(world, options);
    return workspace;
  }

  /** The same with a fault that can be lifted. */
  async function mended(): Promise<void> {
    await replica.stop();
    replica = await Replica.start(world);
  }

  const denied = (): never => {
    throw new SnapshotStoreError('denied', 'not allowed to write');
  };

  it.each(['replace', 'remove'] as const)('a %s whose snapshot fails leaves the pod running, and it takes tasks', async (kind) => {
    const workspace = await workspaceBefore({ store: faultyStore(world.store, 'put', denied) });
    const failed = await workspace[kind](replica);
    expect(failed).toMatchObject({
      type: 'reprise.pod.job-failed.v1',
      data: { pod_kept: true, step: 'snapshot', code: 'snapshot_failed', message: 'denied: not allowed to write', snapshot_id: null },
    });
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 1 }]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
    expect(await world.journal(workspace.id, 2)).toEqual(['quiesce 1 succeeded', 'snapshot 1 failed']);
    await mended();
    expect(await workspace.replace(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a restart whose snapshot cannot be read back leaves the pod running', async () => {
    const workspace = await workspaceBefore({ store: faultyStore(world.store, 'get', denied) });
    const failed = await workspace.replace(replica);
    expect(failed.data).toMatchObject({ pod_kept: true, step: 'verify', code: 'verify_failed' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a fault that passes is survived: the step is tried again', async () => {
    let faults = 2;
    const fault = (): void => {
      if (faults-- > 0) throw new SnapshotStoreError('io', 'for a moment');
    };
    const workspace = await workspaceBefore({ store: faultyStore(world.store, 'put', fault) });
    expect(await workspace.replace(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect((await world.journal(workspace.id, 2)).filter((line) => line.startsWith('snapshot'))).toEqual([
      'snapshot 1 failed',
      'snapshot 2 failed',
      'snapshot 3 succeeded',
    ]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it.each(['create', 'get'] as const)(
    'a restart whose new pod fails (%s) keeps the snapshot and no pod, and a resume recovers it',
    async (method) => {
      let armed = false;
      const fault = (): void => {
        if (armed) throw new PodError('denied', 'no more processes');
      };
      const driver = faultyDriver(world.driver, 'create', () => method === 'create' && fault());
      const workspace = await workspaceBefore({
        driver,
        store: faultyStore(world.store, 'get', () => method === 'get' && armedAfterVerify()),
      });
      // The first read is that of verify, the next that of restore.
      let reads = 0;
      function armedAfterVerify(): void {
        if (++reads > 1) fault();
      }
      armed = true;
      const failed = await workspace.replace(replica);
      expect(failed.data).toMatchObject({
        pod_kept: false,
        code: method === 'create' ? 'create_failed' : 'restore_failed',
        snapshot_id: expect.stringMatching(/^snap_/),
      });
      expect(await world.driver.list()).not.toContainEqual(expect.objectContaining({ workspaceId: workspace.id }));
      expect((await world.podRows(workspace.id)).map((row) => row.status)).toEqual(['gone', 'gone']);
      armed = false;
      await mended();
      expect(await workspace.create(replica, failed.data.snapshot_id as string)).toMatchObject({ type: 'reprise.pod.ready.v1' });
      expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
    },
  );

  it('a resume begins from the newest good snapshot, also where its command knows only an older one or none', async () => {
    const workspace = await workspaceBefore({});
    await workspace.remove(replica);
    expect(await workspace.create(replica, null)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a teardown that fails is tried until the deadline; then the job has timed out, and the snapshot stands', async () => {
    let tries = 0;
    const fault = (): never => {
      tries += 1;
      throw new PodError('denied', 'not now');
    };
    const workspace = await workspaceBefore({ driver: faultyDriver(world.driver, 'remove', fault) }, 4);
    const failed = await workspace.replace(replica);
    expect(failed.data).toMatchObject({
      pod_kept: false,
      step: 'teardown',
      code: 'operation_timeout',
      snapshot_id: expect.stringMatching(/^snap_/),
    });
    expect(tries).toBeGreaterThan(5);
    await mended();
    expect(await workspace.create(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect(await world.alive(workspace.id)).toHaveLength(1);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a job past its deadline begins nothing, and the pod stays as it was', async () => {
    const workspace = await workspaceBefore({ env: { WORKER_POLL_MS: '100' } });
    const command = { ...workspace.replaceCommand(), deadline_at: new Date(Date.now() - 1_000).toISOString() };
    await replica.get(JobsService).replace(command, aMessage());
    expect((await workspace.ended()).data).toMatchObject({ pod_kept: true, step: 'quiesce', code: 'operation_timeout' });
    expect(await world.journal(workspace.id, 2)).toEqual([]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a step that hangs is ended by its time limit', async () => {
    const workspace = await workspaceBefore({
      env: { TRANSFER_TIMEOUT_SECONDS: '1', STEP_ATTEMPTS: '1' },
      store: faultyStore(world.store, 'put', () => new Promise(() => undefined)),
    });
    expect((await workspace.replace(replica)).data).toMatchObject({
      pod_kept: true,
      code: 'snapshot_failed',
      message: 'snapshot took longer than 1 s',
    });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it.each(['replace', 'remove'] as const)(
    'a %s of a pod that is dead fails with pod_lost, and a resume goes on from what it left',
    async (kind) => {
      const workspace = await workspaceBefore({});
      await workspace.replace(replica);
      await world.sh(workspace.id, 'echo later > later');
      await world.kill(workspace.id);
      const failed = await workspace[kind](replica);
      expect(failed.data).toMatchObject({ pod_kept: false, step: 'quiesce', code: 'pod_lost' });
      expect(await workspace.create(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
      expect(await world.alive(workspace.id)).toMatchObject([{ generation: 4 }]);
      expect(await world.sh(workspace.id, 'cat file later')).toBe('kept\nlater\n');
    },
  );

  it('a create that finds an older pod alive saves it first', async () => {
    const workspace = await workspaceBefore({});
    const ready = await workspace.create(replica);
    expect(ready.data).toMatchObject({ generation: 2, snapshot_id: expect.stringMatching(/^snap_/) });
    expect((await world.journal(workspace.id, 2)).map((line) => line.split(' ')[0])).toEqual([
      'quiesce',
      'snapshot',
      'verify',
      'teardown',
      'create',
      'restore',
      'ready',
    ]);
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 2 }]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a create that cannot save an older pod leaves it as it is, and the next one saves it', async () => {
    const workspace = await workspaceBefore({ store: faultyStore(world.store, 'put', denied) });
    expect((await workspace.create(replica)).data).toMatchObject({ pod_kept: false, step: 'snapshot', code: 'snapshot_failed' });
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 1 }]);
    await mended();
    expect(await workspace.create(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect(await world.alive(workspace.id)).toMatchObject([{ generation: 3 }]);
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });
});
