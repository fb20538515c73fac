import { chmodSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { newId } from '@reprise/contracts';
import { Replica } from './support/replica';
import { waitFor } from './support/wait-for';
import { Workspace, World } from './support/world';

/** Makes `levels` directories, one in the other, and whatever follows in the last. */
const deep = (name: string, levels: number): string =>
  `i=0; while [ $i -lt ${levels} ]; do mkdir ${name} && cd -P ${name} || exit 1; i=$((i+1)); done; echo far > down`;

describe('what a restore would fail by is found while the pod is there', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
    replica = await Replica.start(world, { env: { SNAPSHOT_MAX_ENTRIES: '400', SNAPSHOT_MAX_MB: '1000', SNAPSHOT_MAX_DEPTH: '300' } });
  });
  afterAll(async () => {
    await replica?.stop();
    await world?.end();
  });

  it.each<[string, string, string]>([
    ['more files than a snapshot may have', 'i=0; while [ $i -lt 400 ]; do : > f$i; i=$((i+1)); done', 'limit of entries is 400'],
    ['a terabyte of nothing', 'truncate -s 1T nothing', 'limit of bytes is 1048576000'],
    ['more directories one in the other', deep('d', 301), 'limit of depth is 300'],
    ['a path longer than any that Linux opens', deep('n'.repeat(250), 40), 'limit of path_bytes is 4095'],
  ])('a workspace with %s keeps its pod, and can be restarted once it is gone', async (_what, plant, told) => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, `mkdir made; cd made; ${plant}`);
    for (const kind of ['replace', 'remove'] as const) {
      const failed = await workspace[kind](replica);
      expect(failed).toMatchObject({
        type: 'reprise.pod.job-failed.v1',
        data: { pod_kept: true, step: 'snapshot', code: 'snapshot_too_large', message: expect.stringContaining(told) as string },
      });
      expect(await world.journal(workspace.id, workspace.generation)).toEqual(['quiesce 1 succeeded', 'snapshot 1 failed']);
    }
    await world.sh(workspace.id, 'rm -rf made; echo kept > file');
    expect(await workspace.replace(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });

  it('a pod whose next one could not be started is left alone, and so is the task that it runs', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    const agent = await world.agentOf(workspace.id);
    const taskId = newId('task');
    await agent.runTask({ taskId, description: 'sleep 60' });
    workspace.env = { TOO_LARGE: 'x'.repeat(200_000) };
    expect((await workspace.replace(replica)).data).toMatchObject({ pod_kept: true, step: 'quiesce', code: 'create_failed' });
    expect(await agent.health()).toMatchObject({ status: 'ready', taskId });
  });

  it('what an interrupted task had printed is told with its end', async () => {
    const workspace = new Workspace(world);
    await workspace.create(replica);
    const taskId = newId('task');
    const sign = join(mkdtempSync(join(tmpdir(), 'reprise-sign-')), 'printed');
    chmodSync(dirname(sign), 0o777);
    await (await world.agentOf(workspace.id)).runTask({ taskId, description: `echo so far; : > ${sign}; sleep 60` });
    await waitFor(() => existsSync(sign), 'what the task prints');
    await workspace.replace(replica);
    const [told] = (await world.events(workspace.id)).filter(({ data }) => data.interrupted_task_id);
    expect(told!.data).toMatchObject({ interrupted_task_id: taskId, interrupted_task_output: 'so far\n' });
  });
});
