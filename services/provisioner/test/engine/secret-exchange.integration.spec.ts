import type { PodDriver } from '../../src/pods/pod-driver';
import { PodKeys } from '../../src/pods/pod-keys';
import { Replica } from './support/replica';
import { SECRET, Workspace, World } from './support/world';

const NEXT = 'the secret that comes after it';

describe('while the secret of the pods is exchanged', () => {
  let world: World;
  let replica: Replica;

  beforeAll(async () => {
    world = await World.make();
  });
  afterEach(async () => {
    await replica.stop();
    world.keys = new PodKeys(SECRET);
  });
  afterAll(async () => world?.end());

  const restarted = async (workspace: Workspace): Promise<void> => {
    expect(await workspace.replace(replica)).toMatchObject({ type: 'reprise.pod.ready.v1' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  };

  async function workspaceBefore(): Promise<Workspace> {
    replica = await Replica.start(world);
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo kept > file');
    await replica.stop();
    return workspace;
  }

  it('pods of before are controlled, those made meanwhile by replicas with either, and those of after by the new one alone', async () => {
    const workspace = await workspaceBefore();
    replica = await Replica.start(world, { env: { POD_TOKEN_SECRET: NEXT, POD_TOKEN_SECRET_PREVIOUS: SECRET } });
    world.keys = new PodKeys(NEXT, SECRET);
    await restarted(workspace);
    await replica.stop();

    // A replica that has not been told yet.
    replica = await Replica.start(world);
    world.keys = new PodKeys(SECRET);
    await restarted(workspace);
    await replica.stop();

    replica = await Replica.start(world, { env: { POD_TOKEN_SECRET: NEXT, POD_TOKEN_SECRET_PREVIOUS: SECRET } });
    world.keys = new PodKeys(NEXT, SECRET);
    await restarted(workspace);
    await replica.stop();

    replica = await Replica.start(world, { env: { POD_TOKEN_SECRET: NEXT } });
    world.keys = new PodKeys(NEXT);
    await restarted(workspace);
  });

  it('a pod that was made before requests were signed is controlled by its token', async () => {
    replica = await Replica.start(world, { driver: withoutKeys(world.driver) });
    const workspace = new Workspace(world);
    await workspace.create(replica);
    await world.sh(workspace.id, 'echo kept > file');
    await replica.stop();
    replica = await Replica.start(world, { env: { POD_TOKEN_SECRET: NEXT, POD_TOKEN_SECRET_PREVIOUS: SECRET } });
    world.keys = new PodKeys(NEXT, SECRET);
    await restarted(workspace);
  });

  it('a provisioner with another secret leaves the pod as it is', async () => {
    const workspace = await workspaceBefore();
    replica = await Replica.start(world, { env: { POD_TOKEN_SECRET: NEXT } });
    expect((await workspace.replace(replica)).data).toMatchObject({ step: 'quiesce', code: 'quiesce_failed' });
    expect(await world.sh(workspace.id, 'cat file')).toBe('kept\n');
  });
});

/** Makes pods as a provisioner did that signed nothing. */
function withoutKeys(driver: World['driver']): PodDriver {
  return {
    create: (spec) => driver.create({ ...spec, controlKeys: [] }),
    salvage: (spec) => driver.salvage({ ...spec, controlKeys: [] }),
    remove: (...given) => driver.remove(...given),
    inspect: (...given) => driver.inspect(...given),
    list: () => driver.list(),
    fences: () => driver.fences(),
  };
}
