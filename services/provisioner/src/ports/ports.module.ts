import { resolve } from 'node:path';
import { Global, Module, type Provider } from '@nestjs/common';
import { podToken } from '@reprise/contracts';
import { Metrics } from '@reprise/platform';
import { ObservedPodDriver } from '../metrics/observed-pod-driver';
import { ObservedSnapshotStore } from '../metrics/observed-snapshot-store';
import { AgentClient } from '../pods/agent-client';
import { DockerPodDriver } from '../pods/docker/docker-pod-driver';
import { makeKubernetesDriver } from '../pods/kubernetes/make-driver';
import type { PodDriver } from '../pods/pod-driver';
import { ProcessPodDriver } from '../pods/process/process-pod-driver';
import { TracedAgent } from '../pods/traced-agent';
import { TracedPodDriver } from '../pods/traced-pod-driver';
import { ProvisionerConfig } from '../provisioner.config';
import { snapshotStoreOf } from './snapshot-stores';
import { CONNECT_AGENT, type ConnectAgent, POD_DRIVER, SNAPSHOT_STORE } from './tokens';

async function podDriver(config: ProvisionerConfig): Promise<PodDriver> {
  const { gatewayUrl } = config;
  switch (config.podDriver) {
    case 'process':
      return new ProcessPodDriver({ podsDir: resolve(config.podsDir), agentPath: resolve(config.agentPath), gatewayUrl });
    case 'docker':
      return new DockerPodDriver({
        host: config.dockerHost,
        instance: config.dockerInstance,
        network: config.dockerNetwork,
        agentImage: config.agentImage,
        gatewayUrl,
        defaults: { memoryMb: config.podDefaultMemoryMb, cpus: config.podDefaultCpus, pids: config.podDefaultPids },
        callTimeoutMs: config.dockerCallTimeoutSeconds * 1_000,
        pullTimeoutMs: config.imagePullTimeoutSeconds * 1_000,
        startTimeoutMs: config.podStartTimeoutSeconds * 1_000,
      });
    case 'kubernetes':
      return makeKubernetesDriver(config);
  }
}

const PORTS: Provider[] = [
  {
    provide: POD_DRIVER,
    inject: [ProvisionerConfig, Metrics],
    useFactory: async (config: ProvisionerConfig, metrics: Metrics) =>
      new ObservedPodDriver(new TracedPodDriver(await podDriver(config)), metrics),
  },
  {
    provide: SNAPSHOT_STORE,
    inject: [ProvisionerConfig, Metrics],
    useFactory: (config: ProvisionerConfig, metrics: Metrics) => new ObservedSnapshotStore(snapshotStoreOf(config), metrics),
  },
  {
    provide: CONNECT_AGENT,
    inject: [ProvisionerConfig],
    useFactory:
      ({ podTokenSecret }: ProvisionerConfig): ConnectAgent =>
      (pod) =>
        new TracedAgent(new AgentClient({ address: pod.address, token: podToken(podTokenSecret, pod) }), pod),
  },
];

/** What stands behind the ports, as the config says. The only place that knows a driver or a store by its name. */
@Global()
@Module({ providers: PORTS, exports: PORTS })
export class PortsModule {}
