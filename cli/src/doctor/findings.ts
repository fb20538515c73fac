import type { DeadLettersOverview, FailedWorkspace, LifecycleOverview, ProvisionerOverview } from '@reprise/contracts';
import type { QueueStatus } from '../status/queues';
import type { ServiceStatus } from '../status/services';
import type { Finding } from './finding';
import type { Answered, Inspection } from './inspection';
import type { Remedies } from './remedies';

/** An outbox is emptied within a moment while the broker is there; a sweep takes what a crash left after 5 s. */
const OLDEST_IN_OUTBOX_MS = 30_000;
/** Deadlines and leases bear this much. */
const MOST_SKEW_MS = 2_000;
/** A service that was started again longer ago has got over it. */
const RECENT_MS = 3_600_000;
/** How many things of one kind are named; the rest is counted. */
const NAMED = 5;

/** What is wrong with an instance, the most urgent first; nothing where all is well. Pure. @param now this machine's clock, epoch milliseconds */
export function findingsOf(inspection: Inspection, remedies: Remedies, now: number): Finding[] {
  const { broker, database, services, queues, lifecycle, provisioner, billing, deadletters, unanswered } = inspection;
  const told = new Set(services.filter(({ status }) => status !== 'up').map(({ name }) => name));
  const storeFails = typeof provisioner?.value.snapshot_store?.problem === 'string';
  return [
    ...(broker.problem === null
      ? []
      : [unreachable('broker_unreachable', broker.problem, 'start the broker; nothing that was accepted is lost')]),
    ...(database?.problem == null
      ? []
      : [
          unreachable(
            'database_unreachable',
            `the database cannot be used: ${database.problem}`,
            'start the database; messages wait in their queues',
          ),
        ]),
    ...services.flatMap((service) => ofService(service, storeFails, remedies, now)),
    ...unanswered.filter(({ service }) => !told.has(service)).map(({ service, why }) => ofUnanswered(service, why, services, remedies)),
    ...(queues ?? []).flatMap((queue) => ofQueue(queue, told, remedies)),
    ...ofProvisioner(provisioner, remedies),
    ...ofLetters(deadletters, remedies),
    ...ofLifecycle(lifecycle, remedies, now),
    ...(billing ? ofOutbox('billing', billing, remedies) : []),
    ...ofClocks({ lifecycle, provisioner, billing, deadletters }),
  ];
}

function unreachable(code: 'broker_unreachable' | 'database_unreachable', what: string, remedy: string): Finding {
  return { code, what, since: null, do: remedy };
}

function ofService(service: ServiceStatus, storeFails: boolean, remedies: Remedies, now: number): Finding[] {
  const { name, status, detail, lacks, pid, restarts, last_end: end } = service;
  const process = pid === null ? '' : ` (pid ${pid})`;
  const since = end === null ? null : end.at;
  const restarted: Finding[] =
    end !== null && restarts !== null && restarts > 0 && now - Date.parse(end.at) < RECENT_MS
      ? [
          {
            code: 'service_restarted',
            what: `${name} was started again ${times(restarts)}; it last ended by ${end.how}`,
            since,
            do: remedies.log(name),
          },
        ]
      : [];
  switch (status) {
    case 'up':
      return restarted;
    case 'silent':
      return [
        { code: 'service_silent', what: `${name}${process} does not answer: ${detail}`, since: null, do: remedies.restart(service) },
        ...restarted,
      ];
    case 'down':
      return [
        { code: 'service_down', what: `${name} is down: ${detail}`, since: pid === null ? since : null, do: remedies.restart(service) },
      ];
    case 'unready':
      // The store is told of by itself, with its reason.
      if (storeFails && lacks.every((lack) => lack === 'snapshots')) return restarted;
      return [{ code: 'service_unready', what: `${name}${process} is ${detail}`, since: null, do: remedies.log(name) }, ...restarted];
  }
}

function ofUnanswered(service: string, why: string, services: ServiceStatus[], remedies: Remedies): Finding {
  const pid = services.find(({ name }) => name === service)?.pid ?? null;
  return {
    code: 'query_unanswered',
    what: why,
    since: null,
    do: pid === null ? remedies.log(service) : remedies.restart({ name: service, pid }),
  };
}

function ofQueue({ name, exists, consumers, dead }: QueueStatus, told: ReadonlySet<string>, remedies: Remedies): Finding[] {
  const service = name.split('.')[0] ?? name;
  if (!exists) {
    return [{ code: 'queue_missing', what: `the queue ${name} does not exist`, since: null, do: remedies.reprise('setup broker') }];
  }
  return [
    ...(consumers === 0 && !told.has(service)
      ? [{ code: 'queue_unconsumed' as const, what: `nobody consumes ${name}`, since: null, do: remedies.log(service) }]
      : []),
    ...(dead > 0
      ? [
          {
            code: 'dead_letters_uncollected' as const,
            what: `${count(dead, 'dead letter')} of ${name} ${dead === 1 ? 'waits' : 'wait'} to be collected by deadletters`,
            since: null,
            do: remedies.log('deadletters'),
          },
        ]
      : []),
  ];
}

function ofLetters(answered: Answered<DeadLettersOverview> | null, remedies: Remedies): Finding[] {
  if (!answered) return [];
  const { waiting, groups, stuck_replays: replays } = answered.value;
  const examples = groups.largest
    .slice(0, 2)
    .map((g) => `${g.count} × ${g.type ?? 'a message without a type'} in ${g.queue} (${g.reason})`);
  return [
    ...(waiting.count > 0
      ? [
          {
            code: 'dead_letters' as const,
            what: `${count(waiting.count, 'dead letter')} in ${count(groups.count, 'group')} wait for an operator: ${listed(examples, groups.count)}`,
            since: waiting.oldest_at,
            do: remedies.reprise('dead groups'),
          },
        ]
      : []),
    ...replays.map(({ id, status, created_at: since, last_error: error }) => ({
      code: 'replay_stuck' as const,
      what: status === 'paused' ? `replay ${id} is paused` : `replay ${id} does not get on: ${error}`,
      since,
      do: remedies.reprise(status === 'paused' ? `dead replay --resume ${id}` : `dead replay --follow ${id}`),
    })),
  ];
}

function ofLifecycle(answered: Answered<LifecycleOverview> | null, remedies: Remedies, now: number): Finding[] {
  if (!answered) return [];
  const { stuck_operations: operations, stuck_tasks: tasks, failed_workspaces: failed, unsaved_workspaces: unsaved } = answered.value;
  const { oldest_operation: oldest } = answered.value;
  return [
    ...(failed ? ofFailed(failed, remedies) : []),
    ...(unsaved && unsaved.count > 0
      ? [
          {
            code: 'workspaces_unsaved' as const,
            what: `the last attempt to save ${count(unsaved.count, 'workspace')} failed: ${listed(
              unsaved.listed.slice(0, NAMED).map(({ id, error }) => `${id} (${error})`),
              unsaved.count,
            )}`,
            since: earliest(unsaved.listed),
            do: `${remedies.log('provisioner')}; restart the workspaces once the cause is gone`,
          },
        ]
      : []),
    // Past its deadline and a moment, the watchdog should have failed it.
    ...(oldest && now - Date.parse(oldest.deadline_at) > OLDEST_IN_OUTBOX_MS
      ? [
          {
            code: 'operation_overdue' as const,
            what: `operation ${oldest.id} (${oldest.kind}) of ${oldest.workspace_id} is past its deadline at ${oldest.phase ?? 'its beginning'}`,
            since: oldest.deadline_at,
            do: remedies.log('lifecycle'),
          },
        ]
      : []),
    ...operations.map((o) => ({
      code: 'operation_stuck' as const,
      what: `operation ${o.id} (${o.kind}) is quiet in ${o.phase ?? 'no phase yet'}: sent again ${times(o.resends)}`,
      since: o.created_at,
      do: remedies.reprise('doctor --fix'),
    })),
    ...tasks.map((t) => ({
      code: 'task_stuck' as const,
      what: `task ${t.id} of ${t.workspace_id} is ${t.status}: sent again ${times(t.resends)}, interrupted ${times(t.interrupts)}`,
      since: null,
      do: `it fails by itself at ${t.deadline_at}; then restart its workspace`,
    })),
    ...ofOutbox('lifecycle', answered, remedies),
  ];
}

/** One finding for each reason: a hundred workspaces of one lost node are one thing to do. */
function ofFailed(
  { count: total, listed: workspaces }: NonNullable<LifecycleOverview['failed_workspaces']>,
  remedies: Remedies,
): Finding[] {
  const byCode = new Map<string, FailedWorkspace[]>();
  for (const workspace of workspaces) {
    const code = workspace.reason?.code ?? 'unknown';
    byCode.set(code, [...(byCode.get(code) ?? []), workspace]);
  }
  const unlisted = total - workspaces.length;
  return [...byCode].map(([code, of], index) => {
    const number = of.length + (index === 0 ? unlisted : 0);
    const reason = of[0]?.reason ? `${code}: ${of[0].reason.message}` : 'no reason is on record';
    const names = listed(
      of.slice(0, NAMED).map(({ id, org_id: org }) => `${id} of ${org}`),
      number,
    );
    return {
      code: 'workspaces_failed',
      what: `${count(number, 'workspace')} failed (${reason}): ${names}`,
      since: earliest(of),
      do: remedies.resume(of[0]!),
    };
  });
}

function ofProvisioner(answered: Answered<ProvisionerOverview> | null, remedies: Remedies): Finding[] {
  if (!answered) return [];
  const { overdue_jobs: jobs, last_reconcile: reconcile, reconcile_problem: problem, snapshot_store: store } = answered.value;
  const { isolation_problem: weakness } = answered.value;
  return [
    ...(weakness
      ? [{ code: 'pods_not_isolated' as const, what: weakness, since: null, do: 'see "Processes" in docs/drivers.md for what it takes' }]
      : []),
    ...(store?.problem
      ? [
          {
            code: 'snapshot_store_fails' as const,
            what: `the snapshot store fails: ${store.problem}`,
            since: store.since,
            do: 'mend the store (room, rights, the service behind it); restarts and stops fail and leave the pods up until then',
          },
        ]
      : []),
    ...(problem
      ? [
          {
            code: 'pods_unknown' as const,
            what: `pods cannot be compared with the records: ${problem.message}`,
            since: problem.since,
            do: remedies.log('provisioner'),
          },
        ]
      : []),
    ...(reconcile?.failures ?? []).map((failure) => ({
      code: 'pods_uncorrected' as const,
      what: `a pod that should not be as it is could not be corrected: ${failure}`,
      since: reconcile?.at ?? null,
      do: remedies.log('provisioner'),
    })),
    // A lost pod is told by its workspace, and one whose end was not on record yet by nothing: only what nobody should have made is a finding.
    ...(reconcile?.findings ?? [])
      .filter((finding) => finding.startsWith('remove '))
      .map((finding) => ({
        code: 'pods_corrected' as const,
        what: `the reconciler found and corrected: ${finding}`,
        since: reconcile?.at ?? null,
        do: 'nothing; if it comes back, another installation may share this place for pods',
      })),
    ...jobs.map((j) => ({
      code: 'job_overdue' as const,
      what: `job ${j.id} (${j.kind}) of ${j.workspace_id} is past its deadline at ${j.step ?? 'its beginning'}, attempt ${j.attempt}`,
      since: j.deadline_at,
      do: remedies.log('provisioner'),
    })),
    ...ofOutbox('provisioner', answered, remedies),
  ];
}

function ofOutbox(name: string, { value }: Answered<Pick<LifecycleOverview, 'outbox' | 'clocks'>>, remedies: Remedies): Finding[] {
  const { clocks, outbox } = value;
  const age = outbox.oldest_at === null ? 0 : Date.parse(clocks.database) - Date.parse(outbox.oldest_at);
  if (age <= OLDEST_IN_OUTBOX_MS) return [];
  const what = `${count(outbox.count, 'message')} ${outbox.count === 1 ? 'waits' : 'wait'} in the outbox of ${name}, the oldest for ${seconds(age)}`;
  return [{ code: 'outbox_grows', what, since: outbox.oldest_at, do: remedies.log(name) }];
}

function ofClocks(answers: Record<string, Answered<Pick<LifecycleOverview, 'clocks'>> | null>): Finding[] {
  return Object.entries(answers).flatMap(([name, answered]) => {
    if (!answered) return [];
    const { value, from, to } = answered;
    const [service, database] = [Date.parse(value.clocks.service), Date.parse(value.clocks.database)];
    const off = Math.max(0, from - service, service - to);
    const clock = (what: string): Finding => ({ code: 'clock_off', what, since: null, do: 'timedatectl status, on each machine' });
    return [
      ...(Math.abs(service - database) > MOST_SKEW_MS
        ? [clock(`the clock of ${name} is ${seconds(service - database)} off its database's`)]
        : []),
      ...(off > MOST_SKEW_MS ? [clock(`the clock of ${name} is ${seconds(off)} off this machine's`)] : []),
    ];
  });
}

/** The first few, and how many more there are. */
function listed(names: string[], total: number): string {
  return `${names.join(', ')}${total > names.length ? `, and ${total - names.length} more` : ''}`;
}

function earliest(of: readonly { since: string }[]): string | null {
  return of
    .map(({ since }) => since)
    .reduce<string | null>((first, since) => (first === null || Date.parse(since) < Date.parse(first) ? since : first), null);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function times(number: number): string {
  return number === 1 ? 'once' : `${number} times`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
