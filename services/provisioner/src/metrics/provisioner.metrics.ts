import { MESSAGING_METRICS, OUTBOX_METRICS } from '@reprise/messaging';
import { counter, gauge, histogram, type MetricSpec, PLATFORM_METRICS } from '@reprise/platform';

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const KIB = 1_024;
const MIB = 1_024 * KIB;

export const JOBS_ENDED = counter('reprise_jobs_ended_total', 'Jobs that ended. outcome: succeeded, failed. code: of the failure.', [
  'kind',
  'outcome',
  'code',
]);
export const JOB_DURATION = histogram(
  'reprise_job_duration_seconds',
  'Time from the acceptance of a job to its end, with the time that it waited for a worker. outcome: succeeded, failed.',
  ['kind', 'outcome'],
  SECONDS,
);
export const STEP_DURATION = histogram(
  'reprise_job_step_duration_seconds',
  'Time that one attempt at a step took. outcome: succeeded, failed, interrupted (by a shutdown, or a lease that was lost).',
  ['step', 'outcome'],
  SECONDS,
);
export const RECONCILE_CORRECTIONS = counter(
  'reprise_reconcile_corrections_total',
  'What the reconciler found and set right. action: remove (a pod that should not be there), report_lost (a live pod that is gone), record_gone. outcome: done, failed (tried again at the next pass).',
  ['action', 'outcome'],
);
export const RECONCILE_LAST_PASS = gauge(
  'reprise_reconcile_last_pass_timestamp_seconds',
  'When this replica last compared the pods that there are with those that should be; one replica at a time does. Unix time.',
);
export const POD_DRIVER_CALL_DURATION = histogram(
  'reprise_pod_driver_call_duration_seconds',
  'Time that a call of the pod driver took. call: create, remove, inspect, list. outcome: ok, or why it failed.',
  ['call', 'outcome'],
  SECONDS,
);
export const SNAPSHOT_STORE_CALL_DURATION = histogram(
  'reprise_snapshot_store_call_duration_seconds',
  'Time that a call of the snapshot store took; of put and get, until all bytes were through. call: put, get, stat, delete, list, sweep, check; of transfers between pods and the store: upload, complete. outcome: ok, or why it failed.',
  ['call', 'outcome'],
  SECONDS,
);
export const SNAPSHOT_SIZE = histogram(
  'reprise_snapshot_size_bytes',
  'Size of the files of a workspace, as one tar, each time that they were saved.',
  [],
  [64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB, 1_024 * MIB, 4_096 * MIB, 16_384 * MIB],
);
export const SNAPSHOT_STORED = counter('reprise_snapshot_stored_bytes_total', 'Bytes that were written to the snapshot store, compressed.');
export const PODS = gauge('reprise_pods', 'Pods on record that are not gone, by status. The same from every replica.', ['status']);
export const JOBS = gauge('reprise_jobs', 'Jobs that have not ended. status: waiting, running. The same from every replica.', ['status']);
export const JOBS_OLDEST_DUE = gauge(
  'reprise_jobs_oldest_due_age_seconds',
  'For how long the oldest job that any worker could take has been waiting for one; 0 where there is none. The same from every replica.',
);

export const FIGURES = [PODS, JOBS, JOBS_OLDEST_DUE];

/** Everything that the provisioner tells. */
export const METRICS: readonly MetricSpec[] = [
  ...PLATFORM_METRICS,
  ...MESSAGING_METRICS,
  ...OUTBOX_METRICS,
  JOBS_ENDED,
  JOB_DURATION,
  STEP_DURATION,
  RECONCILE_CORRECTIONS,
  RECONCILE_LAST_PASS,
  POD_DRIVER_CALL_DURATION,
  SNAPSHOT_STORE_CALL_DURATION,
  SNAPSHOT_SIZE,
  SNAPSHOT_STORED,
  ...FIGURES,
];
