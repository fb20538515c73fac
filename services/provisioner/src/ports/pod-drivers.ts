import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import type { PodDriver } from '../pods/pod-driver';
import type { ProvisionerConfig } from '../provisioner.config';

/**
 * The driver that the config names. Only that one is loaded: the clients of engines and clusters are large.
 * @throws where its settings cannot be read
 */
export async function podDriverOf(config: ProvisionerConfig): Promise<PodDriver> {
  const { gatewayUrl } = config;
  switch (config.podDriver) {
    case 'process': {
      const { ProcessPodDriver } = await import('../pods/process/process-pod-driver.js');
      const logger = new Logger(ProcessPodDriver.name);
      return new ProcessPodDriver({
        podsDir: resolve(config.podsDir),
        agentPath: resolve(config.agentPath),
        gatewayUrl,
        // The code only: the message holds paths of this machine.
        notDeleted: ({ code, syscall }) => logger.warn(`What a pod has left on the disk cannot be deleted now: ${syscall}: ${code}`),
      });
    }
    case 'docker': {
      const { DockerPodDriver } = await import('../pods/docker/docker-pod-driver.js');
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
    }
    case 'kubernetes': {
      const { makeKubernetesDriver } = await import('../pods/kubernetes/make-driver.js');
      return makeKubernetesDriver(config);
    }
  }
}
