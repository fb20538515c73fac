import { ConfiguredCluster } from './cluster-access';
import { KubeApi } from './kube-api';
import type { KubernetesConfig } from './kubernetes.config';
import { KubernetesPodDriver } from './kubernetes-pod-driver';
import { loadPodTemplate, NO_TEMPLATE } from './pod-template';

/** The driver as the config says. Reads the kubeconfig and the template, and fails where either is wrong; asks the API nothing yet. */
export async function makeKubernetesDriver(
  config: KubernetesConfig & { readonly gatewayUrl: string; readonly podGraceSeconds: number },
): Promise<KubernetesPodDriver> {
  const timeoutMs = config.kubernetesTimeoutSeconds * 1_000;
  const [cluster, template] = await Promise.all([
    ConfiguredCluster.load(config.kubeconfig ?? null),
    config.podTemplate === undefined ? NO_TEMPLATE : loadPodTemplate(config.podTemplate),
  ]);
  return new KubernetesPodDriver(new KubeApi(cluster, timeoutMs), {
    namespace: config.podNamespace,
    instance: config.podInstance,
    agentImage: config.agentImage,
    agentPort: config.podAgentPort,
    gatewayUrl: config.gatewayUrl,
    storage:
      config.podStorage === 'emptyDir'
        ? { kind: 'emptyDir' }
        : { kind: 'pvc', storageClass: config.podStorageClass ?? null, sizeMb: config.podStorageMb },
    template,
    owner: config.podOwner ?? null,
    graceSeconds: config.podGraceSeconds,
    startTimeoutMs: config.podStartTimeoutSeconds * 1_000,
    // Ten thousand pods are some twenty pages, each a call of its own.
    listTimeoutMs: timeoutMs * 3,
  });
}
