import { MESSAGING_METRICS } from '@reprise/messaging';
import { counter, type MetricSpec, PLATFORM_METRICS } from '@reprise/platform';

export const API_ERRORS = counter(
  'reprise_api_errors_total',
  'Requests that were answered with an error, by its code (docs/message-catalogue.md).',
  ['code'],
);

/** Everything that the gateway tells. */
export const METRICS: readonly MetricSpec[] = [...PLATFORM_METRICS, ...MESSAGING_METRICS, API_ERRORS];
