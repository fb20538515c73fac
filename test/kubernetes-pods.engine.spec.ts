import { LABEL } from '../services/provisioner/src/pods/kubernetes/names';
import { kubernetesApi } from '../services/provisioner/test/drivers/support/engines';
import { KubeGround } from '../services/provisioner/test/drivers/support/kube-ground';
import { conversationOf, eventually, fill, promise, treeOf, useStack, type Caller } from './support';

const api = kubernetesApi();
const name = `Reprise with pods on Kubernetes${api ? '' : ' (there is no Kubernetes API: npm run test:engines brings one up)'}`;

(api ? describe : describe.skip)(name, () => {
  let ground: KubeGround;
  const settings: Record<string, string> = {};
  beforeAll(async () => {
    ground = await KubeGround.make({ storage: { kind: 'pvc', storageClass: null, sizeMb: 64 } });
    Object.assign(settings, ground.settings, { RECONCILE_INTERVAL_SECONDS: '1' });
  });
  // Made before the stack, so that its services are told of it.
  const stack = useStack({ settings: { provisioner: settings } });
  afterAll(async () => {
    await ground.end();
    expect(ground.kubelet.problems).toEqual([]);
  });

  const said = async (alice: Caller, id: string, script: string): Promise<string> => {
    await alice.reach(id, 'idle');
    const { status, output } = await alice.run(id, script);
    expect(status).toBe('completed');
    await alice.reach(id, 'idle');
    return output ?? '';
  };
  /** How long it takes, for whoever reads the log: a figure, not a promise. */
  const timed = async <T>(what: string, work: Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work;
    process.stderr.write(`kubernetes: ${what} took ${Math.round(performance.now() - begun)} ms\n`);
    return result;
  };

  promise('a workspace is made, works, and is carried through a restart, a stop and a resume', async () => {
    const { alice } = await stack.tenant();
    const { id } = await timed('create', alice.workspace());
    await said(alice, id, 'echo remember this > memory.txt; mkdir made; ln -s ../memory.txt made/link; chmod 750 made');
    fill(ground.kubelet.filesOf(id), { megabytes: 6 });
    const before = { tree: treeOf(ground.kubelet.filesOf(id)), talk: conversationOf(ground.kubelet.filesOf(id)) };
    const first = ground.kubelet.agentOf(id);

    await timed('restart', alice.restart(id));
    expect(await ground.generationsOf(id)).toEqual([2]);
    const second = ground.kubelet.agentOf(id);
    expect(second).not.toBeNull();
    expect(second).not.toBe(first);
    expect(treeOf(ground.kubelet.filesOf(id))).toEqual(before.tree);
    expect(conversationOf(ground.kubelet.filesOf(id)).slice(0, before.talk.length)).toEqual(before.talk);

    await timed('stop', alice.stop(id));
    expect(await ground.generationsOf(id)).toEqual([]);
    expect(ground.kubelet.hasProcesses(id)).toBe(false);

    await timed('resume', alice.resume(id));
    expect(treeOf(ground.kubelet.filesOf(id))).toEqual(before.tree);
    expect(await said(alice, id, 'cat made/link')).toBe('remember this\n');
  });

  const lossOf = (id: string): Promise<string> =>
    eventually(() => {
      const [event] = stack.publisher.eventsAbout(id, 'reprise.pod.lost.v1');
      expect(event).toBeDefined();
      return JSON.stringify(event?.data);
    });

  promise('a pod that makes room for another is told as preempted although nothing of it is left', async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    await alice.reach(id, 'idle');
    await ground.kubelet.disrupt(id, 'PreemptionByScheduler', 'Preempting to accommodate a higher priority pod');
    await alice.reach(id, 'failed', 60_000);
    expect(await lossOf(id)).toContain('The pod made room for one of higher priority');
    expect(await ground.generationsOf(id)).toEqual([]);
  });

  const claimsOf = async (id: string): Promise<string[]> =>
    (await ground.items('persistentvolumeclaims')).flatMap(({ metadata }) =>
      metadata.labels?.[LABEL.workspace] === id && metadata.deletionTimestamp === undefined ? metadata.name! : [],
    );
  /** A workspace with a snapshot, and with work since then that no snapshot has. */
  const workedIn = async (alice: Caller): Promise<string> => {
    const { id } = await alice.workspace();
    await said(alice, id, 'echo saved > saved.txt');
    await alice.restart(id);
    await said(alice, id, 'echo since then >> saved.txt');
    return id;
  };

  promise('a pod that its node puts out is told as evicted, and a resume saves what it left and goes on from it', async () => {
    const { alice } = await stack.tenant();
    const id = await workedIn(alice);
    const before = treeOf(ground.kubelet.filesOf(id));
    await ground.kubelet.evict(id);
    await alice.reach(id, 'failed', 60_000);
    expect(await lossOf(id)).toContain('low on resource: memory');
    const operation = await alice.succeeded(await alice.begin(id, 'resume'));
    expect(operation).toMatchObject({ state_from: 'salvage' });
    expect(operation.phases.map(({ name }) => name)).toEqual(['salvage', 'snapshot', 'verify', 'teardown', 'create', 'restore', 'ready']);
    expect(treeOf(ground.kubelet.filesOf(id))).toEqual(before);
    expect(await said(alice, id, 'cat saved.txt')).toBe('saved\nsince then\n');
    expect(await claimsOf(id)).toHaveLength(1);
  });

  promise('a pod that somebody deletes leaves its claim, which is kept until a resume has saved what is on it', async () => {
    const { alice } = await stack.tenant();
    const id = await workedIn(alice);
    await ground.kubelet.disrupt(id, 'EvictionByEvictionAPI', 'Eviction API: evicting');
    await alice.reach(id, 'failed', 60_000);
    expect(await ground.generationsOf(id)).toEqual([]);
    expect(await claimsOf(id)).toHaveLength(1);
    expect(await alice.succeeded(await alice.begin(id, 'resume'))).toMatchObject({ state_from: 'salvage' });
    expect(await said(alice, id, 'cat saved.txt')).toBe('saved\nsince then\n');
  });

  promise('where the claim of a lost pod is gone, too, operation and workspace say from which snapshot it goes on', async () => {
    const { alice } = await stack.tenant();
    const id = await workedIn(alice);
    const { snapshot_ref: snapshot } = await alice.see(id);
    await ground.kubelet.crash(id);
    await alice.reach(id, 'failed', 60_000);
    for (const name of await claimsOf(id)) await ground.admin.delete(ground.path('persistentvolumeclaims', name), {});
    const operation = await alice.succeeded(await alice.begin(id, 'resume'));
    expect(operation).toMatchObject({ state_from: snapshot });
    expect(operation.phases.find(({ name }) => name === 'restore')?.detail).toMatch(/state: from snapshot snap_\w+ of 20\d\d-/);
    expect(await alice.see(id)).toMatchObject({ status: 'idle', last_snapshot_error: expect.stringContaining('Pod 2 was lost') });
    expect(await said(alice, id, 'cat saved.txt')).toBe('saved\n');
  });

  promise('a provisioner that is killed while it makes a pod leaves one that its successor takes over', async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    await said(alice, id, 'echo kept > kept.txt');
    const operation = await alice.begin(id, 'restart');
    await alice.inPhase(operation, 'create');
    await stack.service('provisioner').kill();
    await stack.service('provisioner').start();
    await alice.succeeded(operation);
    expect(await said(alice, id, 'cat kept.txt')).toBe('kept\n');
    expect(await ground.generationsOf(id)).toEqual([2]);
  });
});
