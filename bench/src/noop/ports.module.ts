import { Global, Module, type Provider } from '@nestjs/common';
import { Metrics } from '@reprise/platform';
import { ObservedPodDriver } from '@reprise/provisioner/dist/metrics/observed-pod-driver';
import { ObservedSnapshotStore } from '@reprise/provisioner/dist/metrics/observed-snapshot-store';
import { storeMeters } from '@reprise/provisioner/dist/metrics/store-meters';
import { TracedAgent } from '@reprise/provisioner/dist/pods/traced-agent';
import { TracedPodDriver } from '@reprise/provisioner/dist/pods/traced-pod-driver';
import { CONNECT_AGENT, type ConnectAgent, POD_DRIVER, SNAPSHOT_STORE, TRANSFERS } from '@reprise/provisioner/dist/ports/tokens';
import { ProvisionerConfig } from '@reprise/provisioner/dist/provisioner.config';
import { snapshotLimits } from '@reprise/provisioner/dist/snapshot-store.config';
import type { SnapshotStore } from '@reprise/provisioner/dist/snapshots/snapshot-store';
import { LocalTransfers } from '@reprise/provisioner/dist/transfers/local-transfers';
import { NoopAgent } from './noop-agent';
import { NoopPodDriver } from './noop-pod-driver';
import { NoopSnapshotStore } from './noop-snapshot-store';

/** The provisioner's ports with nothing behind them, observed and traced as the real ones are. */
const PORTS: Provider[] = [
  {
    provide: POD_DRIVER,
    inject: [Metrics],
    useFactory: (metrics: Metrics) => new ObservedPodDriver(new TracedPodDriver(new NoopPodDriver()), metrics),
  },
  {
    provide: SNAPSHOT_STORE,
    inject: [Metrics],
    useFactory: (metrics: Metrics) => new ObservedSnapshotStore(new NoopSnapshotStore(), storeMeters(metrics)),
  },
  { provide: CONNECT_AGENT, useFactory: (): ConnectAgent => (pod) => new TracedAgent(new NoopAgent(pod), pod) },
  // In the service's own thread: there is nothing to transfer.
  {
    provide: TRANSFERS,
    inject: [CONNECT_AGENT, SNAPSHOT_STORE, ProvisionerConfig],
    useFactory: (connect: ConnectAgent, store: SnapshotStore, config: ProvisionerConfig) =>
      new LocalTransfers(connect, store, snapshotLimits(config)),
  },
];

@Global()
@Module({ providers: PORTS, exports: PORTS })
export class NoopPortsModule {}
