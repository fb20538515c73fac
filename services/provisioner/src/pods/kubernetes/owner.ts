import { PodError } from '../pod-driver';
import type { KubeApi } from './kube-api';
import type { KubeObject, OwnerReference } from './kube-objects';

const KINDS = {
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', path: '/apis/apps/v1', resource: 'deployments' },
  statefulset: { apiVersion: 'apps/v1', kind: 'StatefulSet', path: '/apis/apps/v1', resource: 'statefulsets' },
  configmap: { apiVersion: 'v1', kind: 'ConfigMap', path: '/api/v1', resource: 'configmaps' },
} as const;

export const OWNER = new RegExp(`^(${Object.keys(KINDS).join('|')})/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`);

/**
 * The object that owns all pods and fences, so that the cluster's garbage collector takes them away with it. Looked up each time: a pod that names
 * an owner of an earlier life is collected at once.
 */
export class Owner {
  /** @param name such as `deployment/reprise-provisioner`; null for none */
  constructor(
    private readonly api: KubeApi,
    private readonly namespace: string,
    private readonly name: string | null,
  ) {}

  /** @throws PodError `denied` where it is not there */
  async references(): Promise<readonly OwnerReference[]> {
    if (this.name === null) return [];
    const [kind, name] = this.name.split('/') as [keyof typeof KINDS, string];
    const { apiVersion, kind: kindName, path, resource } = KINDS[kind];
    const found = await this.api.get<KubeObject>(`${path}/namespaces/${this.namespace}/${resource}/${name}`);
    if (found === null) throw new PodError('denied', `${this.name}, which is to own the pods, is not in the namespace ${this.namespace}`);
    return [{ apiVersion, kind: kindName, name, uid: found.metadata.uid! }];
  }
}
