import { histogram, type MetricSpec } from './metric-spec';
import { SOURCE_UP } from './metrics';

export const HTTP_SERVER_REQUEST_DURATION = histogram(
  'http_server_request_duration_seconds',
  'Time from a request to the end of its answer, by route template; `unmatched` is every path without a route. Routes that wait on purpose take as long as they were asked to.',
  ['method', 'route', 'status_code'],
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
);

/** What every service tells besides the metrics of its process. */
export const PLATFORM_METRICS: readonly MetricSpec[] = [HTTP_SERVER_REQUEST_DURATION, SOURCE_UP];
