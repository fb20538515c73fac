import type { Job } from '../job';

export const WORKSPACE = 'ws_01k9zv6m3se4ht8v5y2q7n0xab';

/** A job as a worker holds it at generation 2, ten minutes before its deadline. */
export function aJob(with_: Partial<Job> = {}): Job {
  const kind = with_.kind ?? 'replace';
  return {
    id: 'job_01k9zv6m3se4ht8v5y2q7n0xaj',
    kind,
    operationId: 'op_01k9zv6m3se4ht8v5y2q7n0xac',
    workspaceId: WORKSPACE,
    orgId: 'acme',
    generation: 2,
    podGeneration: kind === 'create' ? null : 1,
    spec:
      kind === 'remove'
        ? null
        : {
            role_id: 'role_01k9zv6m3se4ht8v5y2q7n0xaf',
            role_version: 3,
            role_name: 'coder',
            command: ['cat'],
            env: {},
            environment: null,
            provider_kind: 'none',
            provider_config: {},
            task_timeout_seconds: 60,
          },
    snapshotId: null,
    deadlineAt: new Date('2026-01-01T00:10:00Z'),
    acceptedAt: new Date('2026-01-01T00:00:00Z'),
    correlationId: 'msg_1',
    traceparent: null,
    actor: 'alice',
    status: 'running',
    epoch: 1,
    step: null,
    attempt: 0,
    begun: false,
    failures: 0,
    newSnapshotId: null,
    fromSnapshot: false,
    withoutSnapshot: false,
    salvage: false,
    stateLost: null,
    ending: null,
    highestGeneration: 2,
    ...with_,
  };
}
