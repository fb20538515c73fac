import { resolve } from 'node:path';
import { Command } from 'commander';
import { type BackupReport, backUp } from '../backup/back-up';
import { environmentOf } from '../environment';
import { answer, type Terminal } from '../terminal';

interface Options {
  to: string;
  json?: true;
  envFile?: string;
}

/** `reprise backup`. */
export function backupVerb(terminal: Terminal): Command {
  return new Command('backup')
    .description('Write the database and the snapshots into a new folder, from which reprise restore makes the instance again.')
    .requiredOption('--to <folder>', 'the folder, which must not exist yet; it will hold data of all tenants')
    .option('--json', 'print { folder, made_at, rows, snapshots, seconds, warning } as JSON')
    .action(async (_, command: Command) => {
      const { to, json, envFile } = command.optsWithGlobals<Options>();
      const environment = environmentOf(terminal, envFile);
      const report = await backUp(environment, resolve(terminal.cwd, to), (progress) => terminal.err(`${progress}\n`));
      const { folder, manifest, seconds, warning } = report;
      const { made_at, snapshots } = manifest;
      const told = { store: snapshots.store, objects: snapshots.objects.length, bytes: bytesOf(report) };
      answer(terminal, json === true, { folder, made_at, rows: rowsOf(report), snapshots: told, seconds, warning }, lines(report));
    });
}

const rowsOf = ({ manifest }: BackupReport): number =>
  Object.values(manifest.schemas)
    .flatMap(({ tables }) => tables)
    .reduce((sum, { rows }) => sum + rows, 0);

const bytesOf = ({ manifest }: BackupReport): number => manifest.snapshots.objects.reduce((sum, { bytes }) => sum + bytes, 0);

function lines(report: BackupReport): string[] {
  const { folder, manifest, seconds, warning } = report;
  const { store, objects } = manifest.snapshots;
  const megabytes = `${(bytesOf(report) / 1024 / 1024).toFixed(1)} MiB`;
  const where = store === 's3' ? 'named; they stay in the bucket: its versioning or replication is their backup' : `copied, ${megabytes}`;
  return [
    `Backup of ${manifest.made_at} in ${folder}, after ${seconds} s.`,
    `${rowsOf(report)} rows; ${objects.length} snapshots ${where}.`,
    ...(warning === null ? [] : [`Warning: ${warning}.`]),
    'It holds data of all tenants. Keep SECRETS_KEY beside it: without it the secrets of roles are lost.',
  ];
}
