import type { PodSpec, Step } from '@reprise/contracts';
import type { Ending, Job, JobKind, JobStatus } from './job';

/** A job as the database gives it. */
export interface JobRow {
  id: string;
  kind: JobKind;
  operation_id: string;
  workspace_id: string;
  org_id: string | null;
  generation: number;
  pod_generation: number | null;
  spec: PodSpec | null;
  snapshot_id: string | null;
  deadline_at: Date;
  accepted_at: Date;
  correlation_id: string;
  traceparent: string | null;
  actor: string | null;
  status: JobStatus;
  epoch: number;
  step: Step | null;
  attempt: number;
  begun: boolean;
  failures: number;
  new_snapshot_id: string | null;
  from_snapshot: boolean;
  without_snapshot: boolean;
  salvage: boolean;
  state_lost: string | null;
  ending: Ending | null;
  highest: number;
}

type JobColumn = Exclude<keyof JobRow, 'highest'>;

const COLUMNS: readonly JobColumn[] = [
  'id',
  'kind',
  'operation_id',
  'workspace_id',
  'org_id',
  'generation',
  'pod_generation',
  'spec',
  'snapshot_id',
  'deadline_at',
  'accepted_at',
  'correlation_id',
  'traceparent',
  'actor',
  'status',
  'epoch',
  'step',
  'attempt',
  'begun',
  'failures',
  'new_snapshot_id',
  'from_snapshot',
  'without_snapshot',
  'salvage',
  'state_lost',
  'ending',
];

/** What is read of a job, for a statement; never `*`, which cannot be prepared. */
export function jobColumns(alias: string): string {
  return COLUMNS.map((column) => `${alias}.${column}`).join(', ');
}

export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    operationId: row.operation_id,
    workspaceId: row.workspace_id,
    orgId: row.org_id,
    generation: row.generation,
    podGeneration: row.pod_generation,
    spec: row.spec,
    snapshotId: row.snapshot_id,
    deadlineAt: row.deadline_at,
    acceptedAt: row.accepted_at,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    actor: row.actor,
    status: row.status,
    epoch: row.epoch,
    step: row.step,
    attempt: row.attempt,
    begun: row.begun,
    failures: row.failures,
    newSnapshotId: row.new_snapshot_id,
    fromSnapshot: row.from_snapshot,
    withoutSnapshot: row.without_snapshot,
    salvage: row.salvage,
    stateLost: row.state_lost,
    ending: row.ending,
    highestGeneration: row.highest,
  };
}
