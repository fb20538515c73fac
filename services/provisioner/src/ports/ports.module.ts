import { Global, Module, type Provider } from '@nestjs/common';
import { Metrics } from '@reprise/platform';
import { ObservedPodDriver } from '../metrics/observed-pod-driver';
import { ObservedSnapshotStore } from '../metrics/observed-snapshot-store';
import { storeMeters } from '../metrics/store-meters';
import { AgentClient } from '../pods/agent-client';
import { PodKeys } from '../pods/pod-keys';
import { TracedAgent } from '../pods/traced-agent';
import { TracedPodDriver } from '../pods/traced-pod-driver';
import { ProvisionerConfig } from '../provisioner.config';
import { snapshotLimits, storeSettings } from '../snapshot-store.config';
import { TransferThread } from '../transfers/transfer-thread';
import { podDriverOf } from './pod-drivers';
import { snapshotStoreOf } from './snapshot-stores';
import { CONNECT_AGENT, type ConnectAgent, POD_DRIVER, SNAPSHOT_STORE, TRANSFERS } from './tokens';

const PORTS: Provider[] = [
  {
    provide: POD_DRIVER,
    inject: [ProvisionerConfig, Metrics],
    useFactory: async (config: ProvisionerConfig, metrics: Metrics) =>
      new ObservedPodDriver(new TracedPodDriver(await podDriverOf(config)), metrics),
  },
  {
    provide: SNAPSHOT_STORE,
    inject: [ProvisionerConfig, Metrics],
    useFactory: async (config: ProvisionerConfig, metrics: Metrics) =>
      new ObservedSnapshotStore(await snapshotStoreOf(config), storeMeters(metrics)),
  },
  {
    provide: CONNECT_AGENT,
    inject: [PodKeys],
    useFactory:
      (keys: PodKeys): ConnectAgent =>
      (pod) =>
        new TracedAgent(new AgentClient({ address: pod.address, credentials: keys.credentials(pod) }), pod),
  },
  {
    provide: TRANSFERS,
    inject: [ProvisionerConfig, PodKeys, Metrics],
    useFactory: (config: ProvisionerConfig, keys: PodKeys, metrics: Metrics) =>
      new TransferThread(
        { store: storeSettings(config), limits: snapshotLimits(config) },
        (pod) => keys.credentials(pod),
        storeMeters(metrics),
      ),
  },
];

/** What stands behind the ports, as the config says. Only what stands beside this file knows a driver or a store by its name. */
@Global()
@Module({ providers: PORTS, exports: PORTS })
export class PortsModule {}
