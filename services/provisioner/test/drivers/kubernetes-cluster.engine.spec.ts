import type { KubeClaim, KubeObject, KubePod, KubeSecret } from '../../src/pods/kubernetes/kube-objects';
import { KubeApi } from '../../src/pods/kubernetes/kube-api';
import type { KubernetesPodDriver } from '../../src/pods/kubernetes/kubernetes-pod-driver';
import { nameOf } from '../../src/pods/kubernetes/names';
import { parsePodTemplate } from '../../src/pods/kubernetes/pod-template';
import { ANY_RUNTIME, type PodEnd, type PodIdentity, type PodSpec, type PodState } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { newSpec, nextGeneration } from '../testing/workspaces';
import { describeWith, kubernetesApi } from './support/engines';
import { KubeGround } from './support/kube-ground';

const GRACE = { graceSeconds: 5 };

describeWith(kubernetesApi(), 'Kubernetes API', 'pods on Kubernetes', () => {
  let ground: KubeGround;
  let driver: KubernetesPodDriver;
  beforeAll(async () => {
    ground = await KubeGround.make();
    driver = ground.driver();
  });
  afterAll(async () => {
    await ground.end();
    expect(ground.kubelet.problems).toEqual([]);
  });

  const listed = async (pod: PodIdentity, by = driver): Promise<PodState | undefined> =>
    (await by.list()).find((it) => it.workspaceId === pod.workspaceId && it.generation === pod.generation);
  const isDead = (pod: PodIdentity): Promise<PodEnd | null> =>
    until(async () => {
      const state = await listed(pod);
      return state?.phase === 'dead' ? state : null;
    }).then(({ end }) => end);
  const podOf = async ({ workspaceId }: PodIdentity): Promise<KubePod> =>
    (await ground.admin.get<KubePod>(ground.path('pods', nameOf(workspaceId))))!;
  const created = async (overrides: Partial<PodSpec> = {}): Promise<PodSpec> => {
    const spec = newSpec(overrides);
    await driver.create(spec);
    return spec;
  };

  describe('a pod that the cluster ends is told from one that failed', () => {
    it('an eviction by its node', async () => {
      const spec = await created();
      await ground.kubelet.evict(spec.workspaceId);
      expect(await isDead(spec)).toEqual({ reason: 'evicted', detail: 'Evicted: The node was low on resource: memory.' });
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead', end: { reason: 'evicted' } });
      await driver.remove(spec, GRACE);
      expect(await listed(spec)).toBeUndefined();
    });

    it('more memory than it may have', async () => {
      const spec = await created();
      await ground.kubelet.crash(spec.workspaceId, 'OOMKilled');
      expect(await isDead(spec)).toMatchObject({ reason: 'out_of_memory', detail: expect.stringContaining('OOMKilled') });
      await driver.remove(spec, GRACE);
    });

    it('an agent that ended by itself', async () => {
      const spec = await created();
      await ground.kubelet.crash(spec.workspaceId);
      expect(await isDead(spec)).toMatchObject({ reason: 'exited', detail: expect.stringContaining('exit code 137') });
      await driver.remove(spec, GRACE);
    });

    it.each([
      ['preempted', 'PreemptionByScheduler', 'Preempting to accommodate a higher priority pod'],
      ['evicted', 'EvictionByEvictionAPI', 'Eviction API: evicting'],
      ['evicted', 'DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'],
    ])('what is %s by %s is told although nothing of the pod is left, until it is removed', async (reason, condition, message) => {
      const spec = await created();
      await ground.kubelet.disrupt(spec.workspaceId, condition, message);
      await until(async () => (await podOf(spec)) === null);
      expect(await isDead(spec)).toEqual({ reason, detail: `${condition}: ${message}` });
      expect(await driver.inspect(spec)).toBeNull();
      await driver.remove(spec, GRACE);
      expect(await listed(spec)).toBeUndefined();
    });

    it('one whose node is lost is neither forced away nor replaced, and is there again when its node is', async () => {
      const spec = await created();
      await ground.kubelet.loseNode(spec.workspaceId);
      expect(await isDead(spec)).toMatchObject({ reason: 'node_lost' });
      await expect(driver.create(nextGeneration(spec))).rejects.toMatchObject({ reason: 'older_pod_alive' });
      const impatient = ground.driver({ removeTimeoutMs: 500 });
      await expect(impatient.remove(spec, { graceSeconds: 1 })).rejects.toMatchObject({ reason: 'not_removed', retryable: true });
      expect(ground.kubelet.hasProcesses(spec.workspaceId)).toBe(true);
      // The node comes back, and its kubelet hears that the pod is to end.
      const removed = driver.remove(spec, GRACE);
      await ground.kubelet.returnNode(spec.workspaceId);
      await removed;
      expect(ground.kubelet.hasProcesses(spec.workspaceId)).toBe(false);
      await driver.create(nextGeneration(spec));
      await driver.remove(nextGeneration(spec), GRACE);
    });
  });

  it('a replica that was slow to make a pod, and was overtaken meanwhile, takes it away again', async () => {
    const { proxy, access } = await ground.proxied();
    const slow = ground.driver({}, new KubeApi(access, 10_000));
    const spec = newSpec();
    await driver.create(spec);
    await driver.remove(spec, GRACE);
    const [old, lease] = [nextGeneration(spec), ground.path('leases', nameOf(spec.workspaceId))];
    proxy.make({ kind: 'held' }, ({ method, path }) => method === 'POST' && path.endsWith('/pods'));
    const creating = slow.create(old).catch((error: unknown) => error);
    const generation = async (): Promise<string> =>
      (await ground.admin.get<KubeObject>(lease))!.metadata.annotations!['reprise.dev/newest-generation']!;
    await until(async () => (await generation()) === '2');
    // Another one goes further, and does not see the pod that is on its way.
    const found = (await ground.admin.get<KubeObject>(lease))!;
    found.metadata.annotations!['reprise.dev/newest-generation'] = '3';
    await ground.admin.replace(lease, found);
    proxy.make(null);
    expect(await creating).toMatchObject({ reason: 'stale_generation' });
    expect(await podOf(old)).toBeNull();
    await driver.create(nextGeneration(spec, 2));
    await driver.remove(nextGeneration(spec, 2), GRACE);
  });

  it('one to whose end something in the cluster objects is not told as removed', async () => {
    const { proxy, access } = await ground.proxied();
    const refused = ground.driver({}, new KubeApi(access, 10_000));
    const spec = await created();
    proxy.make({ kind: 'status', status: 409 }, ({ method, path }) => method === 'DELETE' && path.includes('/pods/'));
    await expect(refused.remove(spec, GRACE)).rejects.toMatchObject({ reason: 'locked', retryable: true });
    expect(await refused.inspect(spec)).toMatchObject({ phase: 'running' });
    proxy.make(null);
    await refused.remove(spec, GRACE);
    expect(await refused.inspect(spec)).toBeNull();
  });

  describe('a pod that does not start', () => {
    it('for want of a node is refused when the time is up, in the words of the scheduler, and is gone', async () => {
      const spec = newSpec();
      ground.kubelet.decide(spec.workspaceId, 'finds no node');
      await expect(ground.driver({ startTimeoutMs: 10_000 }).create(spec)).rejects.toMatchObject({
        reason: 'unschedulable',
        retryable: true,
        detail: expect.stringContaining('Insufficient memory'),
      });
      await until(async () => (await podOf(spec)) === null);
    });

    it('because it is deleted behind our back is told so, and made by the next try', async () => {
      const spec = newSpec();
      ground.kubelet.decide(spec.workspaceId, 'is not looked at');
      const creating = driver.create(spec).catch((error: unknown) => error);
      await until(async () => (await podOf(spec)) !== null);
      await ground.admin.delete(ground.path('pods', nameOf(spec.workspaceId)), {});
      expect(await creating).toMatchObject({ reason: 'start_failed', retryable: true });
      ground.kubelet.decide(spec.workspaceId, 'runs');
      await driver.create(spec);
      await driver.remove(spec, GRACE);
    });

    it('for a namespace that is not there is refused, with the words of the API', async () => {
      const nowhere = ground.driver({ namespace: 'reprise-nowhere' });
      await expect(nowhere.create(newSpec())).rejects.toMatchObject({ reason: 'denied', detail: expect.stringContaining('not found') });
    });
  });

  describe('what the API is given', () => {
    it('is a restricted pod, its limits, and nothing of the cluster', async () => {
      const spec = await created({
        runtime: { image: 'python:3.12', cpus: 0.5, memoryMb: 256, pids: 100, diskMb: 512, readOnlyRoot: true },
      });
      const { metadata, spec: pod } = await podOf(spec);
      expect(metadata.labels).toEqual({
        'app.kubernetes.io/managed-by': 'reprise',
        'reprise.dev/instance': 'tested',
        'reprise.dev/workspace': spec.workspaceId,
        'reprise.dev/generation': '1',
      });
      const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true };
      expect(pod).toMatchObject({
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 5,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          runAsGroup: 1000,
          fsGroup: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        initContainers: [
          { image: 'reprise-agent:test', securityContext: restricted, volumeMounts: [{ name: 'agent', mountPath: '/agent' }] },
        ],
        containers: [
          {
            name: 'agent',
            image: 'python:3.12',
            securityContext: restricted,
            resources: { requests: { cpu: '500m', memory: '256Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
            readinessProbe: { httpGet: { path: '/health', port: 8_700 } },
          },
        ],
      });
      expect(pod!.volumes).toEqual([
        { name: 'workspace-1', emptyDir: { sizeLimit: '512Mi' } },
        { name: 'agent', emptyDir: {} },
        { name: 'tmp', emptyDir: {} },
      ]);
      await driver.remove(spec, GRACE);
    });

    it('has the token in a Secret that the pod owns, and nowhere else', async () => {
      const spec = await created();
      const pod = await podOf(spec);
      expect(JSON.stringify(pod)).not.toContain(spec.token);
      const secret = (await ground.items<KubeSecret>('secrets')).find(({ metadata }) =>
        metadata.name!.startsWith(nameOf(spec.workspaceId)),
      );
      expect(secret).toMatchObject({ immutable: true, metadata: { ownerReferences: [{ kind: 'Pod', uid: pod.metadata.uid }] } });
      await driver.remove(spec, GRACE);
    });

    it('has a claim of its own where that is asked for, of the size that the role says', async () => {
      const spec = newSpec({ generation: 3, runtime: { ...ANY_RUNTIME, diskMb: 2_048 } });
      await ground.driver({ storage: { kind: 'pvc', storageClass: 'fast', sizeMb: 100 } }).create(spec);
      const [volume] = (await podOf(spec)).spec!.volumes!;
      expect(volume).toMatchObject({ name: 'workspace-3' });
      const claim = await ground.admin.get<KubeClaim>(ground.path('persistentvolumeclaims', volume!.persistentVolumeClaim!.claimName));
      expect(claim!.spec).toMatchObject({
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        resources: { requests: { storage: '2Gi' } },
      });
      await driver.remove(spec, GRACE);
    });

    it('begins from the template, and is owned by what is to own it', async () => {
      const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'reprise-pods' } };
      const owner = await ground.admin.create<KubeObject>(ground.path('configmaps'), configMap);
      const template = parsePodTemplate({
        metadata: { annotations: { told: 'by the template' } },
        spec: {
          nodeSelector: { disk: 'ssd' },
          tolerations: [{ key: 'pods', operator: 'Exists' }],
          imagePullSecrets: [{ name: 'registry' }],
          containers: [{ name: 'agent', resources: { requests: { cpu: '100m' } } }],
        },
      });
      const spec = newSpec();
      await ground.driver({ template, owner: 'configmap/reprise-pods' }).create(spec);
      const pod = await podOf(spec);
      expect(pod.metadata).toMatchObject({
        annotations: { told: 'by the template' },
        ownerReferences: [{ kind: 'ConfigMap', name: 'reprise-pods', uid: owner.metadata.uid }],
      });
      expect(pod.spec).toMatchObject({
        nodeSelector: { disk: 'ssd' },
        tolerations: expect.arrayContaining([{ key: 'pods', operator: 'Exists' }]),
        imagePullSecrets: [{ name: 'registry' }],
        containers: [{ resources: { requests: { cpu: '100m' } } }],
      });
      const lease = await ground.admin.get<KubeObject>(ground.path('leases', nameOf(spec.workspaceId)));
      expect(lease!.metadata.ownerReferences).toMatchObject([{ uid: owner.metadata.uid }]);
      await driver.remove(spec, GRACE);
      await expect(ground.driver({ owner: 'configmap/of-nobody' }).create(newSpec())).rejects.toMatchObject({ reason: 'denied' });
    });
  });
});
