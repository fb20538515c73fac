import { Command } from 'commander';
import { type Finding, findingLines } from '../doctor/finding';
import { findingsOf } from '../doctor/findings';
import { inspect } from '../doctor/inspect';
import { type Inspection, sawNothing } from '../doctor/inspection';
import { placeOf, Remedies } from '../doctor/remedies';
import { environmentOf } from '../environment';
import { EXIT, Failure } from '../failure';
import { answer, table, type Terminal } from '../terminal';

interface Diagnosis extends Inspection {
  ok: boolean;
  findings: Finding[];
}

const EXIT_CODES = 'Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage, 3 nothing of the instance answers.';

/** `reprise doctor`: what is wrong, since when, and what to do about it. */
export function doctorVerb(terminal: Terminal): Command {
  return new Command('doctor')
    .description('Find what is wrong: services, servers, dead letters, failed workspaces, operations, snapshots, pods, clocks.')
    .option('--fix', 'send the commands of operations in flight again now, with their first message ids')
    .option('--json', 'print { ok, findings: [{ code, what, since, do }], services, queues, lifecycle, provisioner, … } as JSON')
    .addHelpText('after', `\n${EXIT_CODES}`)
    .action(async (_, command: Command) => {
      const { json, fix, envFile } = command.optsWithGlobals<{ json?: true; fix?: true; envFile?: string }>();
      const environment = environmentOf(terminal, envFile);
      const inspection = await inspect(environment, { fix: fix === true });
      const findings = findingsOf(inspection, new Remedies(placeOf(environment)), Date.now());
      const diagnosis: Diagnosis = { ok: findings.length === 0, findings, ...inspection };
      answer(terminal, json === true, diagnosis, lines(diagnosis));
      if (sawNothing(inspection)) throw new Failure('nothing of the instance answers', EXIT.unreachable);
      if (!diagnosis.ok) throw new Failure(`${findings.length} ${findings.length === 1 ? 'problem' : 'problems'} found`);
    });
}

function lines({ ok, findings, queues, lifecycle, provisioner, billing, deadletters, resent }: Diagnosis): string[] {
  const counts = (of: Record<string, number>): string =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  const waiting = (count: number, oldest: string | null): string => (oldest === null ? 'empty' : `${count}, the oldest since ${oldest}`);
  const facts: string[][] = [];
  if (lifecycle) {
    const { workspaces, operations_in_flight: operations, oldest_operation: oldest, tasks_in_flight: tasks, outbox } = lifecycle.value;
    facts.push(['workspaces', counts(workspaces)]);
    facts.push([
      'operations in flight',
      oldest ? `${operations}, the oldest (${oldest.kind}, ${oldest.id}) since ${oldest.created_at}` : `${operations}`,
    ]);
    facts.push(['tasks in flight', String(tasks)], ['outbox of lifecycle', waiting(outbox.count, outbox.oldest_at)]);
  }
  if (provisioner) {
    const { jobs, pods, snapshots, outbox, last_reconcile: reconcile } = provisioner.value;
    facts.push(['jobs', counts(jobs)], ['pods on record', counts(pods)], ['snapshots', counts(snapshots)]);
    facts.push(['outbox of provisioner', waiting(outbox.count, outbox.oldest_at)]);
    facts.push(['last reconcile', reconcile?.at ?? 'by another replica']);
  }
  if (billing) facts.push(['outbox of billing', waiting(billing.value.outbox.count, billing.value.outbox.oldest_at)]);
  if (deadletters) facts.push(['dead letters', waiting(deadletters.value.waiting.count, deadletters.value.waiting.oldest_at)]);
  const depth = queues
    ?.filter(({ depth, retrying }) => depth + retrying > 0)
    .map((q) => [q.name, `${q.depth} waiting, ${q.retrying} retrying`]);
  return [
    ...table(['WHAT', 'HOW IT STANDS'], [...facts, ...(depth ?? [])]),
    '',
    ...(ok ? ['Nothing is wrong.'] : findingLines(findings)),
    ...(resent === null ? [] : [`${resent} operations are sent again.`]),
  ];
}
