import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { ConfiguredCluster } from '../../../src/pods/kubernetes/cluster-access';
import { KubeApi } from '../../../src/pods/kubernetes/kube-api';
import type { KubeList, KubeObject } from '../../../src/pods/kubernetes/kube-objects';
import { type KubernetesDriverOptions, KubernetesPodDriver } from '../../../src/pods/kubernetes/kubernetes-pod-driver';
import { NO_TEMPLATE } from '../../../src/pods/kubernetes/pod-template';
import { bundleAgent } from '../../testing/agent-bundle';
import { TestKubelet } from './test-kubelet';

/** The cluster that tests may use; undefined where there is none, and they are skipped. */
export const KUBECONFIG = process.env.TEST_KUBECONFIG;

/** A namespace of its own on the real API, with a kubelet that plays all that the API server itself is not. */
export class KubeGround {
  private readonly drivers: KubernetesPodDriver[] = [];

  private constructor(
    /** As an administrator. */
    readonly admin: KubeApi,
    readonly cluster: ConfiguredCluster,
    readonly namespace: string,
    readonly kubelet: TestKubelet,
    readonly agentPath: string,
    private readonly directory: string,
  ) {}

  static async make(): Promise<KubeGround> {
    const cluster = await ConfiguredCluster.load(KUBECONFIG!);
    const admin = new KubeApi(cluster, 30_000);
    const namespace = `reprise-test-${randomBytes(5).toString('hex')}`;
    await admin.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } as KubeObject);
    const directory = mkdtempSync(join(tmpdir(), 'reprise-kubelet-'));
    const agentPath = bundleAgent(directory);
    const ground = new KubeGround(admin, cluster, namespace, new TestKubelet(admin, namespace, agentPath, directory), agentPath, directory);
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
      ...options,
    });
    this.drivers.push(driver);
    return driver;
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
    await this.kubelet.stop();
    for (const pod of await this.items('pods')) await this.admin.delete(this.path('pods', pod.metadata.name), { gracePeriodSeconds: 0 });
    await this.admin.delete(`/api/v1/namespaces/${this.namespace}`, {});
    rmSync(this.directory, { recursive: true, force: true });
  }
}
