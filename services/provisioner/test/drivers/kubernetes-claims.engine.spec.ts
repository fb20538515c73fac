import { KubeApi } from '../../src/pods/kubernetes/kube-api';
import type { KubeClaim, KubePod } from '../../src/pods/kubernetes/kube-objects';
import type { KubernetesPodDriver } from '../../src/pods/kubernetes/kubernetes-pod-driver';
import { LABEL, nameOf } from '../../src/pods/kubernetes/names';
import { AgentClient } from '../../src/pods/agent-client';
import type { PodIdentity, PodSpec, PodState } from '../../src/pods/pod-driver';
import { LIMITS } from '../testing/limits';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { keepsThePromisesOfAPodDriver } from './conformance';
import { describeWith, kubernetesApi } from './support/engines';
import { KubeGround } from './support/kube-ground';

const GRACE = { graceSeconds: 1 };
const PVC = { kind: 'pvc', storageClass: 'fast', sizeMb: 100 } as const;

describeWith(kubernetesApi(), 'Kubernetes API', 'the kubernetes driver with a claim for each pod', () => {
  let ground: KubeGround;
  beforeAll(async () => {
    ground = await KubeGround.make({ storage: PVC });
  });
  afterAll(async () => {
    await ground.end();
    expect(ground.kubelet.problems).toEqual([]);
  });

  keepsThePromisesOfAPodDriver(() => ground.underTest(), ['bounds', 'images', 'names', 'quota', 'salvage']);
});

describeWith(kubernetesApi(), 'Kubernetes API', 'what a lost pod on Kubernetes left', () => {
  let ground: KubeGround;
  let driver: KubernetesPodDriver;
  beforeAll(async () => {
    ground = await KubeGround.make({ storage: PVC });
    driver = ground.driver();
  });
  afterAll(async () => {
    await ground.end();
    expect(ground.kubelet.problems).toEqual([]);
  });

  const claimsOf = async ({ workspaceId }: PodIdentity): Promise<KubeClaim[]> =>
    (await ground.items<KubeClaim>('persistentvolumeclaims')).filter(({ metadata }) => metadata.labels?.[LABEL.workspace] === workspaceId);
  const podOf = async ({ workspaceId }: PodIdentity): Promise<KubePod | null> =>
    ground.admin.get<KubePod>(ground.path('pods', nameOf(workspaceId)));
  const listed = async (pod: PodIdentity, by = driver): Promise<PodState | undefined> =>
    (await by.list()).find((it) => it.workspaceId === pod.workspaceId && it.generation === pod.generation);

  /** A pod that wrote a file. */
  async function written(by = driver): Promise<PodSpec> {
    const spec = newSpec();
    const { address } = await by.create(spec);
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    await agent.runTask({ taskId: 'task_1', description: 'echo kept > file; echo done' });
    await until(async () => (await agent.history()).includes('task.ended'));
    return spec;
  }

  async function salvaged(spec: PodSpec, by = driver): Promise<string> {
    const { address } = await by.salvage(spec);
    const { stream, digest } = await new AgentClient({ address, credentials: credentialsOf(spec) }).snapshot(LIMITS);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    await digest;
    return Buffer.concat(chunks).toString('latin1');
  }

  it('is on a claim that no pod owns, so that it outlives its pod, and that goes when the pod is removed on purpose', async () => {
    const spec = await written();
    const [claim, ...others] = await claimsOf(spec);
    expect(others).toEqual([]);
    expect(claim).toMatchObject({
      metadata: { labels: { [LABEL.workspace]: spec.workspaceId, [LABEL.generation]: '1' } },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '100Mi' } } },
    });
    expect(claim!.metadata.ownerReferences).toBeUndefined();
    expect((await podOf(spec))!.spec!.volumes).toContainEqual({
      name: 'workspace-1',
      persistentVolumeClaim: { claimName: claim!.metadata.name },
    });
    await driver.remove(spec, GRACE);
    await until(async () => (await claimsOf(spec)).length === 0);
  });

  it.each([
    ['that was evicted by its node and is still there', (spec: PodIdentity) => ground.kubelet.evict(spec.workspaceId)],
    [
      'that was preempted, and of which nothing but the claim is left',
      async (spec: PodIdentity) => {
        await ground.kubelet.disrupt(spec.workspaceId, 'PreemptionByScheduler', 'Preempting to accommodate a higher priority pod');
        await until(async () => (await podOf(spec)) === null);
      },
    ],
    [
      'that a person has deleted',
      async (spec: PodIdentity) => {
        await ground.admin.delete(ground.path('pods', nameOf(spec.workspaceId)), { gracePeriodSeconds: 1 });
        await until(async () => (await podOf(spec)) === null);
      },
    ],
  ])('is served from a pod %s', async (_what, lose) => {
    const spec = await written();
    await lose(spec);
    await until(async () => (await listed(spec))?.phase === 'dead');
    // Also to a replica that never saw the pod.
    for (const by of [driver, ground.driver()]) {
      expect(await by.inspect(spec)).toMatchObject({ phase: 'dead', salvageable: true });
      expect(await listed(spec, by)).toMatchObject({ phase: 'dead', salvageable: true });
    }
    expect(await salvaged(spec)).toContain('kept\n');
    await driver.remove(spec, GRACE);
    expect(await listed(spec)).toBeUndefined();
    expect(await driver.inspect(spec)).toBeNull();
  });

  it('is not opened while nobody knows whether its node still runs it, and is once the node is back', async () => {
    const spec = await written();
    await ground.kubelet.loseNode(spec.workspaceId);
    await until(async () => (await listed(spec))?.phase === 'dead');
    const impatient = ground.driver({ removeTimeoutMs: 500 });
    await expect(impatient.salvage(spec)).rejects.toMatchObject({ reason: 'not_removed', retryable: true });
    expect(ground.kubelet.hasProcesses(spec.workspaceId)).toBe(true);
    const snapshot = salvaged(spec);
    await ground.kubelet.returnNode(spec.workspaceId);
    expect(await snapshot).toContain('kept\n');
    await driver.remove(spec, GRACE);
  });

  it('goes with the pod where its workspace is an emptyDir: there is nothing to open, and no claim is asked for', async () => {
    const { proxy, access } = await ground.proxied();
    const onNode = ground.driver({ storage: { kind: 'emptyDir' } }, new KubeApi(access, 10_000));
    proxy.make({ kind: 'status', status: 403 }, ({ path }) => path.includes('persistentvolumeclaims'));
    const spec = await written(onNode);
    await ground.kubelet.crash(spec.workspaceId);
    await until(async () => (await onNode.inspect(spec))?.phase === 'dead');
    expect(await onNode.inspect(spec)).toMatchObject({ salvageable: false });
    await expect(onNode.salvage(spec)).rejects.toMatchObject({ reason: 'nothing_left' });
    expect(await podOf(spec)).not.toBeNull();
    await onNode.remove(spec, GRACE);
    expect(await onNode.inspect(spec)).toBeNull();
  });

  it('is still found after new pods are given an emptyDir, while the pod that names its claim is there', async () => {
    const spec = await written();
    await ground.kubelet.crash(spec.workspaceId);
    const changed = ground.driver({ storage: { kind: 'emptyDir' } });
    await until(async () => (await changed.inspect(spec))?.phase === 'dead');
    expect(await listed(spec, changed)).toMatchObject({ phase: 'dead', salvageable: true });
    expect(await salvaged(spec, changed)).toContain('kept\n');
    await changed.remove(spec, GRACE);
    await until(async () => (await claimsOf(spec)).length === 0);
  });

  it('is not the workspace of a newer pod, which begins empty', async () => {
    const spec = await written();
    await ground.kubelet.crash(spec.workspaceId);
    await until(async () => (await driver.inspect(spec))?.phase === 'dead');
    const next = nextGeneration(spec);
    await driver.create(next);
    expect((await claimsOf(spec)).map(({ metadata }) => metadata.labels![LABEL.generation]).sort()).toEqual(['1', '2']);
    expect(await listed(spec)).toMatchObject({ phase: 'dead', salvageable: true });
    for (const pod of [spec, next]) await driver.remove(pod, GRACE);
    await until(async () => (await claimsOf(spec)).length === 0);
  });
});
