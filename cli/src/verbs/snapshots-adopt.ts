import { type AdoptionResult, AdoptSnapshot } from '@reprise/contracts';
import { Command } from 'commander';
import { withRequests } from '../broker/requests';
import { environmentOf } from '../environment';
import { Failure } from '../failure';
import { answer, type Terminal } from '../terminal';

interface Options {
  json?: true;
  envFile?: string;
}

/** The whole object is read. What is given up here goes on there, and may be asked again. */
const DEADLINE_MS = 1_500_000;

/** `reprise snapshots adopt`. */
export function snapshotsAdoptVerb(terminal: Terminal): Command {
  return new Command('adopt')
    .description(
      'Put a snapshot of the store on record as the newest of its workspace, which then resumes from it. The workspace must have no pod.',
    )
    .argument('<key>', 'as reprise snapshots list tells it')
    .option('--json', 'print { id, workspace_id, taken_at, entries, tar_bytes } as JSON')
    .action(async (key: string, _, command: Command) => {
      const { json, envFile } = command.optsWithGlobals<Options>();
      const { snapshot, problem } = await withRequests(
        environmentOf(terminal, envFile),
        (ask) => ask<AdoptionResult>(AdoptSnapshot, { key }),
        { deadlineMs: DEADLINE_MS, resendEveryMs: DEADLINE_MS },
      );
      if (snapshot === null) throw new Failure(`${key} was not adopted: ${problem ?? 'no reason was given'}`);
      const { id, workspace_id: workspace, taken_at: at, entries } = snapshot;
      answer(terminal, json === true, snapshot, [`${workspace} resumes from ${id} of ${at}: ${entries} files and directories`]);
    });
}
