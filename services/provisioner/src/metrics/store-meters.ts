import type { Metrics } from '@reprise/platform';
import type { StoreMeters } from './observed-snapshot-store';
import { SNAPSHOT_STORE_CALL_DURATION, SNAPSHOT_STORED } from './provisioner.metrics';

/** Those of the service. */
export function storeMeters(metrics: Metrics): StoreMeters {
  return { durations: metrics.histogram(SNAPSHOT_STORE_CALL_DURATION), stored: metrics.counter(SNAPSHOT_STORED) };
}
