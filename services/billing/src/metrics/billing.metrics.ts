import { MESSAGING_METRICS, OUTBOX_METRICS } from '@reprise/messaging';
import { type MetricSpec, PLATFORM_METRICS } from '@reprise/platform';

/** Everything that billing tells: what every service with a database does, and nothing of its own. */
export const METRICS: readonly MetricSpec[] = [...PLATFORM_METRICS, ...MESSAGING_METRICS, ...OUTBOX_METRICS];
