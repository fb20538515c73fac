import { Env } from '@reprise/platform';
import { IsIn, IsInt, IsNotEmpty, IsOptional, Matches, Max, Min } from 'class-validator';
import { PodsConfig, With } from '../pods.config';
import { OWNER } from './owner';

const STORAGES = ['emptyDir', 'pvc'] as const;
/** Of a DNS label, as namespaces and label values are. */
const LABEL_VALUE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What the provisioner is told about pods on Kubernetes. */
export class KubernetesConfig extends PodsConfig {
  @Env('KUBECONFIG', {
    description:
      'With POD_DRIVER=kubernetes: the file that says where the cluster is and who we are. Unset: the cluster that this pod runs in.',
    example: '/etc/reprise/kubeconfig',
  })
  @IsOptional()
  @IsNotEmpty()
  readonly kubeconfig?: string;

  @Env('POD_NAMESPACE', { description: 'With POD_DRIVER=kubernetes: the namespace of the pods.', example: 'reprise-pods' })
  @With('kubernetes')
  @Matches(LABEL_VALUE)
  readonly podNamespace!: string;

  @Env('POD_INSTANCE', {
    description: 'With POD_DRIVER=kubernetes: tells the pods of this installation from those of another one in the same namespace.',
    default: 'reprise',
  })
  @Matches(LABEL_VALUE)
  readonly podInstance!: string;

  @Env('POD_AGENT_PORT', { description: 'With POD_DRIVER=kubernetes: the port that agents listen on.', default: 8_700 })
  @IsInt()
  @Min(1_024)
  @Max(65_535)
  readonly podAgentPort!: number;

  @Env('POD_TEMPLATE', {
    description:
      'With POD_DRIVER=kubernetes: a file with a partial Pod, in YAML or JSON, that every pod begins from: node selector, tolerations, runtime class, pull secrets and so on.',
    example: '/etc/reprise/pod-template.yaml',
  })
  @IsOptional()
  @IsNotEmpty()
  readonly podTemplate?: string;

  @Env('POD_OWNER', {
    description:
      'With POD_DRIVER=kubernetes: what owns the pods, so that the cluster removes them with it: `configmap/…`, `deployment/…` or `statefulset/…` in their namespace. Unset: nothing does.',
    example: 'configmap/reprise-pods',
  })
  @IsOptional()
  @Matches(OWNER)
  readonly podOwner?: string;

  @Env('POD_STORAGE', {
    description:
      "With POD_DRIVER=kubernetes: where a pod keeps the workspace: `emptyDir`, the node's disk, which goes with the pod, or `pvc`, a claim of its own, from which the files of a lost pod can be saved.",
    default: 'emptyDir',
    type: 'text',
  })
  @IsIn(STORAGES)
  readonly podStorage!: (typeof STORAGES)[number];

  @Env('POD_STORAGE_CLASS', { description: "With POD_STORAGE=pvc: the storage class; the cluster's default where unset." })
  @IsOptional()
  @IsNotEmpty()
  readonly podStorageClass?: string;

  @Env('POD_STORAGE_MB', { description: 'With POD_STORAGE=pvc: how many MiB a claim is, of a role that does not say.', default: 10_240 })
  @IsInt()
  @Min(1)
  @Max(67_108_864)
  readonly podStorageMb!: number;

  @Env('KUBERNETES_TIMEOUT_SECONDS', {
    description: 'With POD_DRIVER=kubernetes: how long one call to the API may take, waits that it asks for included.',
    default: 10,
  })
  @IsInt()
  @Min(1)
  @Max(300)
  readonly kubernetesTimeoutSeconds!: number;
}
