import { ListUnrecordedSnapshots, type UnrecordedSnapshots } from '@reprise/contracts';
import { Command } from 'commander';
import { withRequests } from '../broker/requests';
import { environmentOf } from '../environment';
import { answer, table, type Terminal } from '../terminal';

interface Options {
  workspace?: string;
  json?: true;
  envFile?: string;
}

const LISTED = 1_000;
/** The whole store is listed, and each object that is not on record is looked at. */
const DEADLINE_MS = 600_000;

/** `reprise snapshots list`. */
export function snapshotsListVerb(terminal: Terminal): Command {
  return new Command('list')
    .description('List the snapshots that are in the store and not in the database, the newest first, as after a restore.')
    .option('--workspace <id>', 'of this workspace alone')
    .option('--json', 'print { objects, more } as JSON')
    .action(async (_, command: Command) => {
      const { workspace, json, envFile } = command.optsWithGlobals<Options>();
      const query = { limit: LISTED, ...(workspace === undefined ? {} : { workspace_id: workspace }) };
      const found = await withRequests(
        environmentOf(terminal, envFile),
        (ask) => ask<UnrecordedSnapshots>(ListUnrecordedSnapshots, query),
        { deadlineMs: DEADLINE_MS, resendEveryMs: DEADLINE_MS },
      );
      answer(terminal, json === true, found, lines(found));
    });
}

function lines({ objects, more }: UnrecordedSnapshots): string[] {
  if (objects.length === 0) return ['Every snapshot of the store is on record.'];
  const rows = objects.map(({ key, size_bytes: bytes, modified_at: at, workspace_known: known }) => [
    at,
    String(bytes),
    known ? 'yes' : 'no',
    key,
  ]);
  return [...table(['STORED AT', 'BYTES', 'WORKSPACE ON RECORD', 'KEY'], rows), ...(more ? [`There are more than these ${LISTED}.`] : [])];
}
