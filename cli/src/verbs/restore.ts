import { resolve } from 'node:path';
import { Command } from 'commander';
import { restore, type RestoreReport } from '../backup/restore';
import { isWhole } from '../backup/restored-check';
import { environmentOf } from '../environment';
import { Failure } from '../failure';
import { answer, table, type Terminal } from '../terminal';

interface Options {
  from: string;
  replace?: true;
  json?: true;
  envFile?: string;
}

const EXIT_CODES =
  'Exit codes: 0 done and whole, 1 refused, failed, or restored with something missing, 2 wrong usage, 3 a server cannot be reached.';

/** `reprise restore`. */
export function restoreVerb(terminal: Terminal): Command {
  return new Command('restore')
    .description('Make the instance what it was at the moment of a backup. All services must be stopped; the servers must run.')
    .requiredOption('--from <folder>', 'what reprise backup wrote')
    .option('--replace', 'discard the rows that the database holds')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', `\n${EXIT_CODES}`)
    .action(async (_, command: Command) => {
      const { from, replace, json, envFile } = command.optsWithGlobals<Options>();
      const environment = environmentOf(terminal, envFile);
      const options = { folder: resolve(terminal.cwd, from), replace: replace === true };
      const report = await restore(environment, options, (progress) => terminal.err(`${progress}\n`));
      const next = nextSteps(report);
      answer(terminal, json === true, { ...report, next }, lines(report, next));
      if (!isWhole(report)) throw new Failure('the instance was restored, and something is missing');
    });
}

function lines(report: RestoreReport, next: string[]): string[] {
  const { rows, workspaces, snapshots, snapshots_copied_back: copied, messages_purged: purged } = report;
  const filled = Object.entries(rows).filter(([, count]) => count > 0);
  const statuses = Object.entries(workspaces).map(([status, count]) => `${count} ${status}`);
  const objects =
    snapshots.present === null
      ? `${snapshots.verified} snapshots are named; their objects are in the bucket, and were not looked at.`
      : `${snapshots.present} of ${snapshots.verified} snapshots are there as they were; ${copied} of them were copied back.`;
  const problem = (what: string, list: { snapshot_id: string; workspace_id: string }[]): string[] =>
    list.map((one) => `${what}: snapshot ${one.snapshot_id} of workspace ${one.workspace_id}`);
  return [
    `Restored as of ${report.made_at}.`,
    '',
    ...table(
      ['TABLE', 'ROWS'],
      filled.map(([name, count]) => [name, String(count)]),
    ),
    '',
    `Workspaces: ${statuses.join(', ') || 'none'}.`,
    objects,
    `${purged} messages of a later time were taken out of the queues.`,
    ...problem('Missing', snapshots.missing),
    ...problem('There, but another object, which was left as it is', snapshots.differ),
    ...report.without_their_snapshot.map((id) => `Workspace ${id} was saved once, and has no verified snapshot`),
    ...(report.never_saved.length > 0 ? [`Stopped or failed, and never saved: ${report.never_saved.join(', ')}`] : []),
    '',
    ...next.map((step, index) => `${index + 1}. ${step}`),
  ];
}

function nextSteps({ snapshots }: RestoreReport): string[] {
  return [
    ...(snapshots.store === 's3' ? ['Restore the objects of the bucket by its versions or its replica, where they are not there.'] : []),
    'Is this another installation than the one of the backup, give gateway and provisioner its SECRETS_KEY: without it roles with secret_env start no pod.',
    'Start the services, the provisioner with SNAPSHOT_ORPHAN_HOURS=168: snapshots of a later time then stay for a week.',
    'Run reprise snapshots list, before any resume: what was saved after the backup. reprise snapshots adopt has a workspace without a pod resume from one.',
    'Run reprise doctor. Operations that were under way go on, or fail at their deadline.',
    'Resume failed workspaces: each comes back with the files that its pod left, else with its last snapshot.',
  ];
}
