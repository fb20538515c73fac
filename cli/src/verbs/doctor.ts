import { Command } from 'commander';
import {
  GetLifecycleOverview,
  GetProvisionerOverview,
  type LifecycleOverview,
  type MessageClass,
  type ProvisionerOverview,
  QUEUE,
  ResendOperations,
} from '@reprise/contracts';
import { brokerAddress } from '../broker/address';
import { type Ask, withRequests } from '../broker/requests';
import { type Answered, type Findings, problemsOf } from '../doctor/diagnosis';
import { type Environment, environmentOf } from '../environment';
import { Failure } from '../failure';
import { queueStatuses } from '../status/queues';
import { answer, table, type Terminal } from '../terminal';

interface Diagnosis extends Findings {
  ok: boolean;
  problems: string[];
  /** How many operations are sent again at once, with --fix. */
  resent: number | null;
}

const MOST = 100;
const MOST_RESENT = 10_000;
const SHORT_MS = 5_000;

/** `reprise doctor`: what is stuck, and why. Exit code 1 where something is wrong. */
export function doctorVerb(terminal: Terminal): Command {
  return new Command('doctor')
    .description('Find what is stuck: operations, tasks, jobs, messages, pods, clocks.')
    .option('--fix', 'send the commands of operations in flight again now, with their first message ids')
    .option('--json', 'print { ok, problems, queues, lifecycle, provisioner, resent } as JSON')
    .action(async (_, command: Command) => {
      const { json, fix, envFile } = command.optsWithGlobals<{ json?: true; fix?: true; envFile?: string }>();
      const diagnosis = await diagnose(environmentOf(terminal, envFile), fix === true);
      answer(terminal, json === true, diagnosis, lines(diagnosis));
      if (!diagnosis.ok) throw new Failure(`${diagnosis.problems.length} problems found`);
    });
}

async function diagnose(environment: Environment, fix: boolean): Promise<Diagnosis> {
  const unanswered: string[] = [];
  const orProblem = (error: unknown): null => {
    if (!(error instanceof Failure)) throw error;
    unanswered.push(error.message);
    return null;
  };
  const queues = await queueStatuses(brokerAddress(environment)).catch(orProblem);
  // Where nobody would answer, asking takes time and tells nothing new.
  const answers = (name: string): boolean => queues?.some((queue) => queue.name === name && queue.consumers > 0) === true;
  const asked = async (ask: Ask) => ({
    lifecycle: answers(QUEUE.lifecycleQueries) ? await timed<LifecycleOverview>(ask, GetLifecycleOverview).catch(orProblem) : null,
    provisioner: answers(QUEUE.provisionerQueries) ? await timed<ProvisionerOverview>(ask, GetProvisionerOverview).catch(orProblem) : null,
    resent:
      fix && answers(QUEUE.lifecycleCommands)
        ? await ask<{ operations: number }>(ResendOperations, { limit: MOST_RESENT }).then(({ operations }) => operations, orProblem)
        : null,
  });
  const none = { lifecycle: null, provisioner: null, resent: null };
  const found = queues ? ((await withRequests(environment, asked, SHORT_MS).catch(orProblem)) ?? none) : none;
  const problems = [...unanswered, ...problemsOf({ queues, ...found })];
  return { ok: problems.length === 0, problems, queues, ...found };
}

async function timed<T>(ask: Ask, query: MessageClass): Promise<Answered<T>> {
  const from = Date.now();
  const value = await ask<T>(query, { limit: MOST });
  return { value, from, to: Date.now() };
}

function lines({ ok, problems, queues, lifecycle, provisioner, resent }: Diagnosis): string[] {
  const counts = (of: Record<string, number>): string =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  const waiting = (count: number, oldest: string | null): string => (oldest === null ? 'empty' : `${count}, the oldest since ${oldest}`);
  const facts: string[][] = [];
  if (lifecycle) {
    const { workspaces, operations_in_flight: operations, tasks_in_flight: tasks, outbox } = lifecycle.value;
    facts.push(['workspaces', counts(workspaces)], ['operations in flight', String(operations)], ['tasks in flight', String(tasks)]);
    facts.push(['outbox of lifecycle', waiting(outbox.count, outbox.oldest_at)]);
  }
  if (provisioner) {
    const { jobs, pods, snapshots, outbox, last_reconcile: reconcile } = provisioner.value;
    facts.push(['jobs', counts(jobs)], ['pods on record', counts(pods)], ['snapshots', counts(snapshots)]);
    facts.push(['outbox of provisioner', waiting(outbox.count, outbox.oldest_at)]);
    facts.push(['last reconcile', reconcile?.at ?? 'by another replica']);
  }
  const depth = queues
    ?.filter(({ depth, retrying }) => depth + retrying > 0)
    .map((q) => [q.name, `${q.depth} waiting, ${q.retrying} retrying`]);
  return [
    ...table(['WHAT', 'HOW IT STANDS'], [...facts, ...(depth ?? [])]),
    '',
    ...(ok ? ['Nothing is stuck.'] : problems.map((problem) => `! ${problem}`)),
    ...(resent === null ? [] : [`${resent} operations are sent again.`]),
  ];
}
