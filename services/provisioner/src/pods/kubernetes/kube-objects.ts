import type { V1Lease, V1PersistentVolumeClaim, V1Pod, V1Secret } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };

/**
 * Objects as the API writes them in JSON. The client's own types say `Date` where JSON has text; of the times only these are read, and those are
 * declared here.
 */
export type KubePod = Omit<V1Pod, 'metadata'> & { metadata: ObjectMeta };
export type KubeLease = Omit<V1Lease, 'metadata'> & { metadata: ObjectMeta };
export type KubeSecret = Omit<V1Secret, 'metadata'> & { metadata: ObjectMeta };
export type KubeClaim = Omit<V1PersistentVolumeClaim, 'metadata'> & { metadata: ObjectMeta };

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface ObjectMeta {
  name?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: readonly OwnerReference[];
}

export interface KubeObject {
  metadata: ObjectMeta;
}

export interface KubeList<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}

/** What the API answers in place of an object: why not. */
export interface KubeStatus {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly reason?: string }[] };
}
