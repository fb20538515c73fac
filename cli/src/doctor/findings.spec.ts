import type { LifecycleOverview, ProvisionerOverview } from '@reprise/contracts';
import type { ServiceStatus } from '../status/services';
import { findingLines } from './finding';
import { findingsOf } from './findings';
import { type Inspection, sawNothing } from './inspection';
import { Remedies } from './remedies';

const NOW = Date.parse('2026-11-02T09:30:00.000Z');
const at = (ms: number) => new Date(NOW + ms).toISOString();
const span = { from: NOW - 20, to: NOW + 20 };
const common = { clocks: { service: at(0), database: at(5) }, outbox: { count: 0, oldest_at: null } };
const elsewhere = new Remedies({ stateFolder: null, gatewayUrl: null, signsTokens: false });
const here = new Remedies({ stateFolder: '.reprise', gatewayUrl: 'http://127.0.0.1:8080', signsTokens: true });

function service(name: string, more: Partial<ServiceStatus> = {}): ServiceStatus {
  return { name, status: 'up', detail: null, lacks: [], pid: null, restarts: null, last_end: null, ...more };
}

function inspection(
  more: Partial<Inspection> = {},
  lifecycle: Partial<LifecycleOverview> = {},
  provisioner: Partial<ProvisionerOverview> = {},
) {
  const whole: Inspection = {
    services: [service('gateway'), service('billing')],
    database: { problem: null },
    broker: { problem: null },
    queues: [{ name: 'lifecycle.commands', exists: true, depth: 3, consumers: 1, retrying: 2, dead: 0 }],
    lifecycle: {
      ...span,
      value: {
        ...common,
        workspaces: { idle: 3 },
        failed_workspaces: { count: 0, listed: [] },
        unsaved_workspaces: { count: 0, listed: [] },
        operations_in_flight: 2,
        oldest_operation: null,
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
        last_reconcile: { at: at(0), findings: [], failures: [] },
        reconcile_problem: null,
        snapshot_store: { problem: null, since: null },
        ...provisioner,
      },
    },
    billing: { ...span, value: common },
    deadletters: {
      ...span,
      value: { clocks: common.clocks, waiting: { count: 0, oldest_at: null }, groups: { count: 0, largest: [] }, stuck_replays: [] },
    },
    unanswered: [],
    resent: null,
    operationsInFlight: null,
    ...more,
  };
  return whole;
}

const codes = (of: Inspection) => findingsOf(of, elsewhere, NOW).map(({ code }) => code);

it('finds nothing wrong with an instance at work', () => {
  expect(findingsOf(inspection(), elsewhere, NOW)).toEqual([]);
});

it('finds nothing wrong with services of an older version, which tell less', () => {
  const older = inspection({ billing: null, deadletters: null });
  for (const field of ['failed_workspaces', 'unsaved_workspaces', 'oldest_operation'] as const) delete older.lifecycle!.value[field];
  for (const field of ['reconcile_problem', 'snapshot_store'] as const) delete older.provisioner!.value[field];
  delete older.provisioner!.value.last_reconcile!.failures;
  expect(findingsOf(older, elsewhere, NOW)).toEqual([]);
});

it('names dead letters by count, kinds and age, and the command that shows them', () => {
  const largest = [
    { group: 'a', type: 'reprise.workspace.restart.v1', queue: 'lifecycle.commands', reason: 'unparseable', exception: null, count: 7 },
    { group: 'b', type: null, queue: 'billing.commands', reason: 'invalid', exception: null, count: 1 },
  ].map((group) => ({ ...group, first_failed_at: at(-9_000), last_failed_at: at(-1) }));
  const deadletters = {
    ...span,
    value: { clocks: common.clocks, waiting: { count: 8, oldest_at: at(-9_000) }, groups: { count: 2, largest }, stuck_replays: [] },
  };
  expect(findingsOf(inspection({ deadletters }), here, NOW)).toEqual([
    {
      code: 'dead_letters',
      what:
        '8 dead letters in 2 groups wait for an operator: 7 × reprise.workspace.restart.v1 in lifecycle.commands (unparseable), ' +
        '1 × a message without a type in billing.commands (invalid)',
      since: at(-9_000),
      do: 'npx reprise dead groups',
    },
  ]);
});

it('names failed workspaces once for each reason, and the command that resumes one', () => {
  const lost = { code: 'pod_lost' as const, message: 'its pod was lost', operation_id: null };
  const listed = ['ws_1', 'ws_2', 'ws_3', 'ws_4', 'ws_5', 'ws_6', 'ws_7'].map((id, n) => ({
    id,
    org_id: 'acme',
    since: at(-n),
    reason: lost,
  }));
  const failed_workspaces = {
    count: 10,
    listed: [
      ...listed,
      {
        id: 'ws_8',
        org_id: "o'hara",
        since: at(-60_000),
        reason: { code: 'restore_failed' as const, message: 'no_space', operation_id: 'op_1' },
      },
    ],
  };
  const [first, second] = findingsOf(inspection({}, { failed_workspaces }), here, NOW);
  expect(first).toMatchObject({
    what: '9 workspaces failed (pod_lost: its pod was lost): ws_1 of acme, ws_2 of acme, ws_3 of acme, ws_4 of acme, ws_5 of acme, and 4 more',
    since: at(-6),
    do:
      'curl -X POST http://127.0.0.1:8080/v1/workspaces/ws_1/resume -H "Authorization: Bearer ' +
      '$(npx reprise token --org acme --sub operator --permissions tasks:write)"',
  });
  expect(second).toMatchObject({ what: `1 workspace failed (restore_failed: no_space): ws_8 of o'hara`, since: at(-60_000) });
  expect(second!.do).toContain(`--org 'o'\\''hara' --sub`);
});

it('names what stands against the snapshot store once, not as an unready service as well', () => {
  const services = [service('provisioner', { status: 'unready', detail: 'not ready: snapshots', lacks: ['snapshots'] })];
  const problem = { problem: 'no_space: cannot store snapshots: ENOSPC', since: at(-5_000) };
  expect(findingsOf(inspection({ services }, {}, { snapshot_store: problem }), elsewhere, NOW)).toMatchObject([
    { code: 'snapshot_store_fails', what: 'the snapshot store fails: no_space: cannot store snapshots: ENOSPC', since: at(-5_000) },
  ]);
  expect(codes(inspection({ services }))).toEqual(['service_unready']);
});

it('names a silent service once, with its process and the command that ends it, and not its queue or query', () => {
  const silent = service('billing', { status: 'silent', detail: 'no answer within 4 s', pid: 4711, restarts: 0 });
  const queues = [{ name: 'billing.commands', exists: true, depth: 0, consumers: 0, retrying: 0, dead: 0 }];
  const unanswered = [{ service: 'billing', why: 'billing does not answer reprise.billing.overview.v1' }];
  expect(findingsOf(inspection({ services: [silent], queues, unanswered, billing: null }), here, NOW)).toEqual([
    {
      code: 'service_silent',
      what: 'billing (pid 4711) does not answer: no answer within 4 s',
      since: null,
      do: 'kill -9 4711; it is started again, and its log is .reprise/logs/billing.log',
    },
  ]);
});

it('names a service that was started again lately, and none that was long ago', () => {
  const restarted = (ms: number) => service('lifecycle', { pid: 7, restarts: 3, last_end: { how: 'SIGKILL', at: at(ms) } });
  expect(findingsOf(inspection({ services: [restarted(-60_000)] }), here, NOW)).toMatchObject([
    { code: 'service_restarted', what: 'lifecycle was started again 3 times; it last ended by SIGKILL', since: at(-60_000) },
  ]);
  expect(codes(inspection({ services: [restarted(-7_200_000)] }))).toEqual([]);
});

it('tells that nothing could be looked at only where neither the broker nor any service answers', () => {
  const broker = { problem: 'the broker at 127.0.0.1:1 cannot be reached: ECONNREFUSED' };
  const nothing = { queues: null, lifecycle: null, provisioner: null, billing: null, deadletters: null };
  const down = inspection({ broker, ...nothing, services: [service('gateway', { status: 'down', detail: 'ECONNREFUSED' })] });
  expect(codes(down)).toEqual(['broker_unreachable', 'service_down']);
  expect(sawNothing(down)).toBe(true);
  expect(sawNothing(inspection({ broker, ...nothing }))).toBe(false);
  expect(sawNothing(inspection())).toBe(false);
});

it('names an outbox that does not empty, quiet and overdue operations, late jobs, a lost comparison and pods that stay', () => {
  const operation = {
    id: 'op_1',
    workspace_id: 'ws_1',
    kind: 'restart' as const,
    phase: 'snapshot' as const,
    created_at: at(-900_000),
    deadline_at: at(-60_000),
  };
  const job = { id: 'job_1', kind: 'replace', workspace_id: 'ws_1', step: 'verify', attempt: 3, deadline_at: at(-1) };
  const found = findingsOf(
    inspection(
      { billing: { ...span, value: { ...common, outbox: { count: 1, oldest_at: at(-31_000) } } }, database: { problem: 'ECONNREFUSED' } },
      {
        stuck_operations: [{ ...operation, resends: 2 }],
        oldest_operation: operation,
        outbox: { count: 4, oldest_at: at(-60_000) },
        unsaved_workspaces: { count: 1, listed: [{ id: 'ws_2', org_id: 'acme', error: 'no_space', since: at(-5) }] },
      },
      {
        overdue_jobs: [job],
        last_reconcile: {
          at: at(0),
          findings: ['remove ws_1/1: no record knows of it', 'report-lost ws_3/2: The agent process is gone.', 'record-gone ws_4/2'],
          failures: ['remove ws_9/4: gone; EBUSY'],
        },
        reconcile_problem: { message: 'the engine is away', since: at(-40_000) },
        isolation_problem: 'Pods are not isolated (user: setpriv is missing)',
      },
    ),
    elsewhere,
    NOW,
  );
  expect(found.map(({ code, what }) => `${code}: ${what}`)).toEqual([
    'database_unreachable: the database cannot be used: ECONNREFUSED',
    'pods_not_isolated: Pods are not isolated (user: setpriv is missing)',
    'pods_unknown: pods cannot be compared with the records: the engine is away',
    'pods_uncorrected: a pod that should not be as it is could not be corrected: remove ws_9/4: gone; EBUSY',
    'pods_corrected: the reconciler found and corrected: remove ws_1/1: no record knows of it',
    'job_overdue: job job_1 (replace) of ws_1 is past its deadline at verify, attempt 3',
    'workspaces_unsaved: the last attempt to save 1 workspace failed: ws_2 (no_space)',
    'operation_overdue: operation op_1 (restart) of ws_1 is past its deadline at snapshot',
    'operation_stuck: operation op_1 (restart) is quiet in snapshot: sent again 2 times',
    'outbox_grows: 4 messages wait in the outbox of lifecycle, the oldest for 60.0 s',
    'outbox_grows: 1 message waits in the outbox of billing, the oldest for 31.0 s',
  ]);
  expect(found.every((finding) => finding.do !== '')).toBe(true);
});

it('tells a clock that is off from a slow answer', () => {
  const off = inspection({}, { clocks: { service: at(5_000), database: at(0) } });
  expect(findingsOf(off, elsewhere, NOW).map(({ what }) => what)).toEqual([
    "the clock of lifecycle is 5.0 s off its database's",
    "the clock of lifecycle is 5.0 s off this machine's",
  ]);
  off.lifecycle!.to = NOW + 6_000;
  off.lifecycle!.value.clocks.database = at(4_990);
  expect(findingsOf(off, elsewhere, NOW)).toEqual([]);
});

it('writes a finding for a person as what is wrong, since when, and what to do', () => {
  expect(findingLines([{ code: 'clock_off', what: 'it is off', since: at(0), do: 'timedatectl' }])).toEqual([
    '! it is off, since 2026-11-02T09:30:00.000Z',
    '    timedatectl',
  ]);
});
