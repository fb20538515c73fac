import { resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import type { PodDriver } from '../pods/pod-driver';
import type { ProcessPodDriver } from '../pods/process/process-pod-driver';
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
      const driver = new ProcessPodDriver({
        podsDir: resolve(config.podsDir),
        agentPath: resolve(config.agentPath),
        gatewayUrl,
        isolation: config.podIsolation,
        hiddenPaths: [...(config.snapshotStore === 'files' ? [resolve(config.snapshotsDir)] : []), ...config.podHiddenPaths],
        visiblePaths: config.podVisiblePaths,
        users: { first: config.podUsersFirst, count: config.podUsersCount },
        // The code only: the message holds paths of this machine.
        notDeleted: ({ code, syscall }) => logger.warn(`What a pod has left on the disk cannot be deleted now: ${syscall}: ${code}`),
      });
      await reportIsolation(driver, logger, config.podIsolation);
      return driver;
    }
    case 'docker': {
      const { DockerPodDriver } = await import('../pods/docker/docker-pod-driver.js');
      const { parsePool } = await import('../pods/docker/subnets.js');
      const logger = new Logger(DockerPodDriver.name);
      const driver = new DockerPodDriver({
        host: config.dockerHost,
        instance: config.dockerInstance,
        network: config.dockerNetwork,
        podSubnets: config.dockerNetworkPerPod ? parsePool(config.dockerPodSubnets) : null,
        agentImage: config.agentImage,
        gatewayUrl,
        defaults: { memoryMb: config.podDefaultMemoryMb, cpus: config.podDefaultCpus, pids: config.podDefaultPids },
        callTimeoutMs: config.dockerCallTimeoutSeconds * 1_000,
        pullTimeoutMs: config.imagePullTimeoutSeconds * 1_000,
        startTimeoutMs: config.podStartTimeoutSeconds * 1_000,
        notJoined: (why) => logger.warn({ reason: why }, 'A pod that lives cannot be reached'),
      });
      // Before the first job: what it does with a pod needs a way to it. The engine may be back later, and each look at pods tries again.
      await driver.rejoin().catch((error: unknown) => logger.warn({ reason: String(error) }, 'The networks of pods were not joined'));
      return driver;
    }
    case 'kubernetes': {
      const { makeKubernetesDriver } = await import('../pods/kubernetes/make-driver.js');
      return makeKubernetesDriver(config);
    }
  }
}

/** @throws PodError where the isolation that the configuration names does not work here */
async function reportIsolation(driver: ProcessPodDriver, logger: Logger, wanted: string): Promise<void> {
  const { weaknessOf } = await import('../pods/process/isolation-weakness.js');
  try {
    const found = await driver.isolates();
    const { kind } = found;
    const weakness = weaknessOf(found);
    if (weakness !== null) logger.warn({ isolation: kind }, weakness);
    else logger.log({ isolation: kind }, kind === 'user' ? ISOLATED.user : ISOLATED.namespace);
  } catch (error) {
    // A disk that is full or away now may be back when the first pod is made.
    if (wanted !== 'auto') throw error;
    logger.warn({ reason: String(error) }, 'Cannot tell yet how pods are isolated');
  }
}

const ISOLATED = {
  user: 'Each workspace has a user of its own, which its pods run as',
  namespace: 'Each pod has user, process and mount namespaces of its own',
};
