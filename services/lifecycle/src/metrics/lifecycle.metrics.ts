import { MESSAGING_METRICS, OUTBOX_METRICS } from '@reprise/messaging';
import { counter, gauge, histogram, type MetricSpec, PLATFORM_METRICS } from '@reprise/platform';

const OPERATION_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export const OPERATIONS_ENDED = counter(
  'reprise_operations_ended_total',
  'Operations that ended. outcome: succeeded, failed. code: of the failure.',
  ['kind', 'outcome', 'code'],
);
export const OPERATION_DURATION = histogram(
  'reprise_operation_duration_seconds',
  'Time from the acceptance of an operation to its end. outcome: succeeded, failed.',
  ['kind', 'outcome'],
  OPERATION_SECONDS,
);
export const PHASE_DURATION = histogram(
  'reprise_operation_phase_duration_seconds',
  'Time that a phase took, all its attempts together; told when the operation ends. outcome: succeeded, failed.',
  ['kind', 'phase', 'outcome'],
  OPERATION_SECONDS,
);
export const WATCHDOG_ACTIONS = counter(
  'reprise_watchdog_actions_total',
  'What the watchdog did. action: operation_resent, operation_timed_out, task_resent, task_interrupted, task_timed_out, workspace_stopped, workspace_resumed, checkpoint_asked.',
  ['action'],
);
export const WORKSPACES = gauge('reprise_workspaces', 'Workspaces that are not archived, by status. The same from every replica.', [
  'status',
]);
export const OPERATIONS_IN_PROGRESS = gauge(
  'reprise_operations_in_progress',
  'Operations that were accepted and have not ended, by kind. The same from every replica.',
  ['kind'],
);
export const OPERATIONS_OLDEST = gauge(
  'reprise_operations_oldest_age_seconds',
  'Time since the oldest operation that has not ended was accepted; 0 where there is none. The same from every replica.',
);
export const OPERATIONS_OVERDUE = gauge(
  'reprise_operations_overdue',
  'Operations past their deadline that have not ended. The same from every replica.',
);

export const FIGURES = [WORKSPACES, OPERATIONS_IN_PROGRESS, OPERATIONS_OLDEST, OPERATIONS_OVERDUE];

/** Everything that lifecycle tells. */
export const METRICS: readonly MetricSpec[] = [
  ...PLATFORM_METRICS,
  ...MESSAGING_METRICS,
  ...OUTBOX_METRICS,
  OPERATIONS_ENDED,
  OPERATION_DURATION,
  PHASE_DURATION,
  WATCHDOG_ACTIONS,
  ...FIGURES,
];
