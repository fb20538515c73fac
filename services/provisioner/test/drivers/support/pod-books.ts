import type { KubeApi } from '../../../src/pods/kubernetes/kube-api';
import { KubeError } from '../../../src/pods/kubernetes/kube-error';
import type { KubeList, KubePod, KubeSecret } from '../../../src/pods/kubernetes/kube-objects';

interface NamedPod {
  readonly uid: string;
  readonly name: string;
}

/** What the scheduler, a kubelet and the garbage collector write down at the API. */
export class PodBooks {
  private readonly path: string;

  constructor(
    private readonly api: KubeApi,
    namespace: string,
  ) {
    this.path = `/api/v1/namespaces/${namespace}`;
  }

  read(name: string): Promise<KubePod | null> {
    return this.api.get<KubePod>(`${this.path}/pods/${name}`);
  }

  /** Gives the pod to a node. */
  bind(name: string): Promise<unknown> {
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' } };
    return this.api.create(`${this.path}/pods/${name}/binding`, binding);
  }

  /** Changes the status of this pod, whatever others write meanwhile; nothing where it is no more. */
  async tell({ name, uid }: NamedPod, change: (pod: KubePod) => object): Promise<void> {
    for (;;) {
      const pod = await this.read(name);
      if (pod?.metadata.uid !== uid) return;
      try {
        await this.api.replace(`${this.path}/pods/${name}/status`, { ...pod, status: change(pod) });
        return;
      } catch (error) {
        if (!(error instanceof KubeError && error.status === 409)) throw error;
      }
    }
  }

  /** With a grace of nothing, the pod is off the books at once: that is for the kubelet, which knows that nothing of it runs. */
  async delete({ name, uid }: NamedPod, gracePeriodSeconds: number): Promise<void> {
    await this.api.delete(`${this.path}/pods/${name}`, { gracePeriodSeconds, preconditions: { uid } });
  }

  secret(name: string): Promise<KubeSecret | null> {
    return this.api.get<KubeSecret>(`${this.path}/secrets/${name}`);
  }

  /** What a pod owned goes with it. */
  async collect(uid: string): Promise<void> {
    const secrets = await this.api.list<KubeList<KubeSecret>>(`${this.path}/secrets`, {});
    for (const { metadata } of secrets.items) {
      if (metadata.ownerReferences?.some((it) => it.uid === uid)) await this.api.delete(`${this.path}/secrets/${metadata.name}`, {});
    }
  }
}

/** Of the pod's one container, which does not listen yet. */
export function containerStatus(pod: KubePod) {
  const [container] = pod.spec!.containers;
  return { name: container!.name, image: container!.image!, imageID: '', ready: false, started: false, restartCount: 0 };
}

/** What the scheduler says of a pod that fits nowhere. */
export const NO_NODE = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'Unschedulable',
  message: '0/3 nodes are available: 3 Insufficient memory.',
};

/** What a kubelet says of a pod that it put out. */
export const EVICTED = { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.', containerStatuses: [] };

/** What a container waits with whose image no registry has. */
export function imageNotFound(image: string) {
  const message = `rpc error: failed to pull and unpack image "${image}": not found`;
  return { state: { waiting: { reason: 'ErrImagePull', message } } };
}
