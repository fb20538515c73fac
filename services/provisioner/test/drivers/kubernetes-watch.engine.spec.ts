import { KubeApi } from '../../src/pods/kubernetes/kube-api';
import type { KubePod, KubeSecret } from '../../src/pods/kubernetes/kube-objects';
import type { KubernetesPodDriver } from '../../src/pods/kubernetes/kubernetes-pod-driver';
import { nameOf } from '../../src/pods/kubernetes/names';
import type { PodIdentity, PodSpec, PodState } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { newSpec } from '../testing/workspaces';
import { describeWith, kubernetesApi } from './support/engines';
import { KubeGround } from './support/kube-ground';

const GRACE = { graceSeconds: 5 };

describeWith(kubernetesApi(), 'Kubernetes API', 'the watch for pods', () => {
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

  const listed = async (pod: PodIdentity, by: KubernetesPodDriver): Promise<PodState | undefined> =>
    (await by.list()).find((it) => it.workspaceId === pod.workspaceId && it.generation === pod.generation);
  /** As this one comes to know of it: for a while after trouble it may say that it does not know. */
  const knows = async (follower: KubernetesPodDriver, pod: PodIdentity, phase: 'running' | undefined): Promise<void> => {
    await until(() =>
      listed(pod, follower).then(
        (state) => state?.phase === phase,
        () => false,
      ),
    );
  };
  const podOf = async ({ workspaceId }: PodIdentity): Promise<KubePod> =>
    (await ground.admin.get<KubePod>(ground.path('pods', nameOf(workspaceId))))!;
  const secretOf = async ({ workspaceId }: PodIdentity): Promise<KubeSecret | undefined> =>
    (await ground.items<KubeSecret>('secrets')).find(({ metadata }) => metadata.name!.startsWith(nameOf(workspaceId)));
  const created = async (): Promise<PodSpec> => {
    const spec = newSpec();
    await driver.create(spec);
    return spec;
  };
  const followed = async () => {
    const { proxy, access } = await ground.proxied();
    const follower = ground.driver({}, new KubeApi(access, 10_000));
    await follower.list();
    return { proxy, follower };
  };
  /** What happens from now on is told to the follower. */
  const hears = async (follower: KubernetesPodDriver): Promise<void> => {
    const spec = await created();
    await knows(follower, spec, 'running');
    await driver.remove(spec, GRACE);
    await knows(follower, spec, undefined);
  };

  it('that is cut is taken up again, and what happened meanwhile is known', async () => {
    const { proxy, follower } = await followed();
    await hears(follower);
    const gone = await created();
    await knows(follower, gone, 'running');
    const watches = ({ path }: { path: string }): boolean => path.includes('/pods?');
    proxy.make({ kind: 'status', status: 503 }, watches);
    proxy.cut();
    const made = await created();
    await driver.remove(gone, GRACE);
    proxy.make(null);
    await knows(follower, made, 'running');
    await knows(follower, gone, undefined);
    await driver.remove(made, GRACE);
    await hears(follower);
  });

  it('whose place the API no longer knows begins anew with a list', async () => {
    const { proxy, follower } = await followed();
    const gone = await created();
    await knows(follower, gone, 'running');
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    proxy.make({ kind: 'answer', text: `${JSON.stringify({ type: 'ERROR', object })}\n` }, ({ path }) => path.includes('watch=true'));
    proxy.cut();
    await driver.remove(gone, GRACE);
    const made = await created();
    // Each watch ends at once, so that only lists can tell.
    await knows(follower, made, 'running');
    await knows(follower, gone, undefined);
    proxy.make(null);
    await driver.remove(made, GRACE);
    await hears(follower);
  });

  it('outlives an API that goes away and comes back, and a pod that was being made is made', async () => {
    const { proxy, follower } = await followed();
    const spec = newSpec();
    ground.kubelet.decide(spec.workspaceId, 'is not looked at');
    const creating = follower.create(spec);
    await until(async () => (await secretOf(spec)) !== undefined);
    // Whatever it asks is answered: from here on it only waits, by the watch.
    await until(() => !proxy.isAsked(({ path }) => !path.includes('watch=true')));
    proxy.make({ kind: 'hang' });
    proxy.cut();
    await ground.kubelet.takeUp(await podOf(spec));
    await until(async () => (await driver.inspect(spec))?.phase === 'running');
    proxy.make(null);
    proxy.cut();
    expect(await creating).toMatchObject({ workspaceId: spec.workspaceId });
    await driver.remove(spec, GRACE);
  });
});
