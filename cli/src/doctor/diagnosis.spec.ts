import type { LifecycleOverview, ProvisionerOverview } from '@reprise/contracts';
import { type Findings, problemsOf } from './diagnosis';

const NOW = Date.parse('2026-11-02T09:30:00.000Z');
const at = (ms: number) => new Date(NOW + ms).toISOString();

function findings(lifecycle: Partial<LifecycleOverview> = {}, provisioner: Partial<ProvisionerOverview> = {}, dead = 0): Findings {
  const common = { clocks: { service: at(0), database: at(5) }, outbox: { count: 0, oldest_at: null } };
  const queue = { name: 'lifecycle.commands', exists: true, depth: 3, consumers: 1, retrying: 0, dead };
  const span = { from: NOW - 20, to: NOW + 20 };
  return {
    queues: [queue],
    lifecycle: {
      ...span,
      value: {
        ...common,
        workspaces: {},
        operations_in_flight: 2,
        stuck_operations: [],
        tasks_in_flight: 0,
        stuck_tasks: [],
        ...lifecycle,
      },
    },
    provisioner: {
      ...span,
      value: {
        ...common,
        jobs: { waiting: 9, running: 1 },
        overdue_jobs: [],
        pods: {},
        snapshots: {},
        last_reconcile: null,
        ...provisioner,
      },
    },
  };
}

it('finds nothing wrong with an instance at work', () => {
  expect(problemsOf(findings())).toEqual([]);
});

it('names dead letters, an outbox that does not empty, quiet operations, late jobs and what the reconciler found', () => {
  const operation = {
    id: 'op_1',
    workspace_id: 'ws_1',
    kind: 'restart',
    phase: 'snapshot',
    resends: 2,
    created_at: at(-90_000),
    deadline_at: at(0),
  };
  const job = { id: 'job_1', kind: 'replace', workspace_id: 'ws_1', step: 'verify', attempt: 3, deadline_at: at(-1) };
  const problems = problemsOf(
    findings(
      { stuck_operations: [operation as LifecycleOverview['stuck_operations'][number]], outbox: { count: 4, oldest_at: at(-60_000) } },
      { overdue_jobs: [job], last_reconcile: { at: at(0), findings: ['remove ws_1/1: no record knows of it'] } },
      7,
    ),
  );
  expect(problems).toEqual([
    '7 dead letters of lifecycle.commands',
    '4 messages wait in the outbox of lifecycle, the oldest for 60.0 s',
    'operation op_1 (restart) is quiet in snapshot: sent again 2 times',
    'job job_1 (replace) is past its deadline at verify, attempt 3',
    'the reconciler found and corrected: remove ws_1/1: no record knows of it',
  ]);
});

it('tells a clock that is off from a slow answer', () => {
  const off = findings({ clocks: { service: at(5_000), database: at(0) } });
  expect(problemsOf(off)).toEqual([
    "the clock of lifecycle is 5.0 s off its database's",
    "the clock of lifecycle is 5.0 s off this machine's",
  ]);
  off.lifecycle!.to = NOW + 6_000;
  off.lifecycle!.value.clocks.database = at(4_990);
  expect(problemsOf(off)).toEqual([]);
});
