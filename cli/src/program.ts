import { Command, CommanderError } from 'commander';
import { EXIT, Failure, type ExitCode, written, wrongUsage } from './failure';
import type { Terminal } from './terminal';
import { backupVerb } from './verbs/backup';
import { deadVerb } from './verbs/dead';
import { definitionsVerb } from './verbs/definitions';
import { doctorVerb } from './verbs/doctor';
import { restoreVerb } from './verbs/restore';
import { seedVerb } from './verbs/seed';
import { setupVerb } from './verbs/setup';
import { snapshotsAdoptVerb } from './verbs/snapshots-adopt';
import { snapshotsListVerb } from './verbs/snapshots-list';
import { statusVerb } from './verbs/status';
import { tenantsListVerb } from './verbs/tenants-list';
import { tenantsSetVerb } from './verbs/tenants-set';
import { tokenVerb } from './verbs/token';
import { workspacesStopVerb } from './verbs/workspaces-stop';

const EXIT_CODES = 'Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 something that must answer cannot be reached.';

/**
 * Runs one command line and tells its exit code. Never throws, never ends the process.
 * @param args without the node and script that process.argv begins with
 */
export async function run(args: string[], terminal: Terminal): Promise<ExitCode> {
  const json = args.includes('--json');
  try {
    await program(terminal, json).parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = error instanceof Failure ? error : new Failure(describe(error));
    terminal.err(written(failure, json));
    return failure.exitCode;
  }
}

function program(terminal: Terminal, json: boolean): Command {
  const root = new Command('reprise')
    .description('Runs and inspects an instance of Reprise.')
    .option(
      '--env-file <file>',
      'the settings of the instance (default: the nearest .reprise/env, or REPRISE_ENV_FILE); Node 20 itself ends with 9 where there is no such file',
    )
    .addHelpText('after', `\n${EXIT_CODES}`)
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text, write) => write(written(wrongUsage(text.replace(/^error: /, '').trimEnd()), json)),
    });
  const tenants = new Command('tenants').description('Tenants and their billing postures.');
  for (const verb of [tenantsSetVerb, tenantsListVerb]) tenants.addCommand(verb(terminal));
  const verbs = [tokenVerb, statusVerb, doctorVerb, deadVerb, seedVerb, setupVerb, backupVerb, restoreVerb, definitionsVerb];
  for (const verb of verbs) root.addCommand(verb(terminal));
  const workspaces = new Command('workspaces').description('Workspaces of all tenants.').addCommand(workspacesStopVerb(terminal));
  const snapshots = new Command('snapshots').description('Snapshots that are in the store and not in the database.');
  for (const verb of [snapshotsListVerb, snapshotsAdoptVerb]) snapshots.addCommand(verb(terminal));
  for (const group of [tenants, workspaces, snapshots]) root.addCommand(group);
  inherit(root);
  return root;
}

/** Commander hands its settings down only to commands that it makes itself. */
function inherit(parent: Command): void {
  parent.exitOverride();
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    inherit(child);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
