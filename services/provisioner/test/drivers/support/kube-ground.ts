import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { type ClusterAccess, ConfiguredCluster } from '../../../src/pods/kubernetes/cluster-access';
import { KubeApi } from '../../../src/pods/kubernetes/kube-api';
import type { KubeList, KubeObject, KubePod } from '../../../src/pods/kubernetes/kube-objects';
import { type KubernetesDriverOptions, KubernetesPodDriver } from '../../../src/pods/kubernetes/kubernetes-pod-driver';
import { LABEL, nameOf } from '../../../src/pods/kubernetes/names';
import { NO_TEMPLATE } from '../../../src/pods/kubernetes/pod-template';
import { bundleAgent } from '../../testing/agent-bundle';
import type { DriverUnderTest } from './driver-under-test';
import { kubernetesApi } from './engines';
import { FaultyProxy } from './faulty-proxy';
import { MISSING_IMAGE, TestKubelet } from './test-kubelet';

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** A namespace of its own on the real API, with a kubelet that plays all that the API server itself is not. */
export class KubeGround {
  private readonly drivers: KubernetesPodDriver[] = [];
  private readonly proxies: FaultyProxy[] = [];
  private readonly namespaces: string[] = [];

  private constructor(
    /** As an administrator. */
    readonly admin: KubeApi,
    readonly cluster: ConfiguredCluster,
    readonly namespace: string,
    readonly kubelet: TestKubelet,
    readonly agentPath: string,
    private readonly directory: string,
    /** Of all its drivers that are not told otherwise. */
    private readonly defaults: Partial<KubernetesDriverOptions>,
  ) {}

  static async make(defaults: Partial<KubernetesDriverOptions> = {}): Promise<KubeGround> {
    const cluster = await ConfiguredCluster.load(kubernetesApi()!.kubeconfig);
    const admin = new KubeApi(cluster, 30_000);
    const namespace = await newNamespace(admin);
    const directory = mkdtempSync(join(tmpdir(), 'reprise-kubelet-'));
    const agentPath = bundleAgent(directory);
    const kubelet = new TestKubelet(admin, namespace, agentPath, directory);
    const ground = new KubeGround(admin, cluster, namespace, kubelet, agentPath, directory, defaults);
    ground.kubelet.start();
    return ground;
  }

  /** A driver as a replica of the provisioner has it. */
  driver(options: Partial<KubernetesDriverOptions> = {}, api: KubeApi = new KubeApi(this.cluster, 10_000)): KubernetesPodDriver {
    const driver = new KubernetesPodDriver(api, {
      namespace: this.namespace,
      instance: 'tested',
      agentImage: 'reprise-agent:test',
      agentPort: 8_700,
      gatewayUrl: 'http://127.0.0.1:9',
      storage: { kind: 'emptyDir' },
      template: NO_TEMPLATE,
      graceSeconds: 5,
      owner: null,
      startTimeoutMs: 60_000,
      listTimeoutMs: 30_000,
      ...this.defaults,
      ...options,
    });
    this.drivers.push(driver);
    return driver;
  }

  /** What tells a provisioner to make its pods here. */
  get settings(): Record<string, string> {
    return {
      POD_DRIVER: 'kubernetes',
      KUBECONFIG: kubernetesApi()!.kubeconfig,
      POD_NAMESPACE: this.namespace,
      POD_INSTANCE: 'tested',
      POD_STORAGE: this.defaults.storage?.kind ?? 'emptyDir',
      AGENT_IMAGE: 'reprise-agent:test',
    };
  }

  /** Of the pods of a workspace that the API has. */
  async generationsOf(workspaceId: string): Promise<number[]> {
    const ofWorkspace = (await this.items('pods')).filter(({ metadata }) => metadata.labels?.[LABEL.workspace] === workspaceId);
    return ofWorkspace.map(({ metadata }) => Number(metadata.labels![LABEL.generation]));
  }

  /** The API behind a proxy that makes trouble. */
  async proxied(): Promise<{ proxy: FaultyProxy; access: ClusterAccess }> {
    const { server } = this.cluster;
    const options = await this.cluster.requestOptions();
    const proxy = new FaultyProxy({ ...options, protocol: 'https:', host: server.hostname, port: server.port });
    await proxy.listen();
    this.proxies.push(proxy);
    return { proxy, access: plainAccess(`http://127.0.0.1:${proxy.port}`) };
  }

  async underTest(): Promise<DriverUnderTest> {
    const { proxy, access } = await this.proxied();
    const through = (to: ClusterAccess): KubernetesPodDriver =>
      this.driver({ startTimeoutMs: 20_000, removeTimeoutMs: 10_000, listTimeoutMs: 5_000 }, new KubeApi(to, 5_000));
    return {
      driver: this.driver(),
      another: this.driver(),
      crash: ({ workspaceId }) => this.kubelet.crash(workspaceId),
      hasProcesses: ({ workspaceId }) => Promise.resolve(this.kubelet.hasProcesses(workspaceId)),
      takeAway: async ({ workspaceId }) => {
        await this.admin.delete(this.path('pods', nameOf(workspaceId)), { gracePeriodSeconds: 0 });
        await this.kubelet.untilNothingOf(workspaceId);
      },
      withAgent: (program, options) => {
        const image = `program:${randomBytes(4).toString('hex')}`;
        const file = join(this.directory, `${image.slice(8)}.js`);
        writeFileSync(file, program);
        this.kubelet.hasImage(image, file);
        return Promise.resolve(this.driver({ agentImage: image, ...options }));
      },
      missingImage: MISSING_IMAGE,
      occupy: async ({ workspaceId }) => {
        const containers = [{ name: 'foreign', image: 'foreign:1' }];
        const metadata = { name: nameOf(workspaceId) };
        await this.admin.create<KubePod>(this.path('pods'), { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } });
        const free = async (): Promise<boolean> =>
          (await this.admin.delete(this.path('pods', metadata.name), { gracePeriodSeconds: 0 })) !== null;
        return { impatient: this.driver(), free };
      },
      withoutQuota: async () => {
        const namespace = await newNamespace(this.admin);
        this.namespaces.push(namespace);
        await giveQuota(this.admin, namespace, { pods: '0' });
        return this.driver({ namespace });
      },
      api: {
        driver: through(access),
        make: (what, meets) => proxy.make(what, meets),
        makesPod: ({ method, path }) => method === 'POST' && path.endsWith('/pods'),
        removesPod: ({ method, path }) => method === 'DELETE' && path.includes('/pods/'),
        isFollowing: () => proxy.isAnswering(({ path }) => path.includes('watch=true')),
        unreachable: through(plainAccess('http://127.0.0.1:9')),
      },
    };
  }

  /** The path of a resource in the namespace. */
  path(resource: string, name?: string): string {
    const group = {
      leases: '/apis/coordination.k8s.io/v1',
      deployments: '/apis/apps/v1',
      roles: '/apis/rbac.authorization.k8s.io/v1',
      rolebindings: '/apis/rbac.authorization.k8s.io/v1',
    }[resource];
    return `${group ?? '/api/v1'}/namespaces/${this.namespace}/${resource}${name === undefined ? '' : `/${name}`}`;
  }

  async items<T extends KubeObject>(resource: string): Promise<readonly T[]> {
    return (await this.admin.list<KubeList<T>>(this.path(resource), {})).items;
  }

  async end(): Promise<void> {
    for (const driver of this.drivers) await driver.close();
    for (const proxy of this.proxies) await proxy.close();
    await this.kubelet.stop();
    for (const pod of await this.items('pods')) await this.admin.delete(this.path('pods', pod.metadata.name), { gracePeriodSeconds: 0 });
    for (const namespace of [this.namespace, ...this.namespaces]) await this.admin.delete(`/api/v1/namespaces/${namespace}`, {});
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function newNamespace(admin: KubeApi): Promise<string> {
  const name = `reprise-test-${randomBytes(5).toString('hex')}`;
  await admin.create<KubeObject & Kind>('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

/** A quota, and what its controller would write: there is none here. */
async function giveQuota(admin: KubeApi, namespace: string, hard: Record<string, string>): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/resourcequotas`;
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'of-tests' }, spec: { hard } };
  const made = await admin.create<KubeObject & Kind>(path, quota);
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, '0']));
  await admin.replace(`${path}/of-tests/status`, { ...made, status: { hard, used } });
}

/** An API that asks nobody who they are. */
function plainAccess(address: string): ClusterAccess {
  const server = new URL(address);
  return { server, begin: (url, options) => Promise.resolve(request(url, options)) };
}
