import { OperationKind, RefusalBody, WorkspaceStatus, refusal } from '@reprise/contracts';

/**
 * The state machine of a workspace: which command is accepted when, what it is refused with, and what becomes of the workspace. Pure: no
 * clock, no database, no broker. It reads as the table in docs/architecture.md does.
 */

/** What a decision rests on. */
export interface WorkspaceState {
  status: WorkspaceStatus;
  archived: boolean;
  roleArchived: boolean;
  providerArchived: boolean;
  runningTaskId: string | null;
}

/** What may be asked of an existing workspace. */
export type WorkspaceCommand =
  | { kind: 'restart'; force: boolean }
  /** `withoutSnapshot`: an operator's, which also removes what a failed workspace has left. */
  | { kind: 'stop'; withoutSnapshot?: boolean }
  /** `fromSnapshot`: what a lost pod left is discarded. */
  | { kind: 'resume'; fromSnapshot?: boolean }
  | { kind: 'archive' }
  | { kind: 'unarchive' }
  | { kind: 'submit_task' }
  | { kind: 'cancel_task' };

export type CommandKind = WorkspaceCommand['kind'];

/** Accepted: the status that the workspace takes at once, whether it is then archived, and the operation that this begins, if any. */
export interface Accepted {
  accepted: true;
  status: WorkspaceStatus;
  archived: boolean;
  operation: OperationKind | null;
}

export type Decision = Accepted | { accepted: false; refusal: RefusalBody };

type Check = (state: WorkspaceState, command: WorkspaceCommand) => RefusalBody | null;

interface Rule {
  /** Checked in this order; the first refusal is the answer. */
  checks: readonly Check[];
  becomes: (state: WorkspaceState) => Omit<Accepted, 'accepted'>;
}

const notArchived: Check = ({ archived }) => (archived ? refusal('workspace_archived') : null);
const roleUsable: Check = ({ roleArchived }) => (roleArchived ? refusal('role_archived') : null);
const providerUsable: Check = ({ providerArchived }) => (providerArchived ? refusal('provider_archived') : null);
const isArchived: Check = ({ archived }) => (archived ? null : refusal('not_archived'));

const statusIn =
  (...allowed: WorkspaceStatus[]): Check =>
  ({ status }) =>
    allowed.includes(status) ? null : refusal('invalid_state', { status });

const notBusy: Check = ({ status, runningTaskId }) => (status === 'busy' ? refusal('workspace_busy', { task_id: runningTaskId }) : null);
const notBusyUnlessForced: Check = (state, command) => (command.kind === 'restart' && command.force ? null : notBusy(state, command));
const unarchivedToArchive: Check = ({ archived, status }) => (archived ? refusal('invalid_state', { status, archived: true }) : null);

const hasPods: Check = (state, command) =>
  command.kind === 'stop' && command.withoutSnapshot
    ? statusIn('idle', 'busy', 'failed')(state, command)
    : statusIn('idle', 'busy')(state, command);

const begins = (operation: OperationKind, status: WorkspaceStatus) => () => ({ status, archived: false, operation });

export const RULES: Readonly<Record<CommandKind, Rule>> = {
  restart: { checks: [notArchived, statusIn('idle', 'busy'), notBusyUnlessForced], becomes: begins('restart', 'stopping') },
  stop: { checks: [notArchived, hasPods], becomes: begins('stop', 'stopping') },
  resume: {
    checks: [notArchived, roleUsable, providerUsable, statusIn('stopped', 'failed')],
    becomes: begins('resume', 'provisioning'),
  },
  submit_task: {
    checks: [notArchived, notBusy, statusIn('idle')],
    becomes: () => ({ status: 'busy', archived: false, operation: null }),
  },
  cancel_task: {
    checks: [notArchived, statusIn('busy')],
    becomes: ({ status, archived }) => ({ status, archived, operation: null }),
  },
  archive: {
    checks: [statusIn('stopped', 'failed'), unarchivedToArchive],
    becomes: ({ status }) => ({ status, archived: true, operation: null }),
  },
  unarchive: {
    checks: [isArchived],
    becomes: ({ status }) => ({ status, archived: false, operation: null }),
  },
};

/** What becomes of a command to a workspace in this state. */
export function decide(state: WorkspaceState, command: WorkspaceCommand): Decision {
  const rule = RULES[command.kind];
  for (const check of rule.checks) {
    const refused = check(state, command);
    if (refused) return { accepted: false, refusal: withAllowed(refused, state) };
  }
  return { accepted: true, ...rule.becomes(state) };
}

/** What the state allows, in the order of the table; a restart also where only a forced one is. */
export function allowedIn(state: WorkspaceState): CommandKind[] {
  const commands = Object.keys(RULES) as CommandKind[];
  const asked = (kind: CommandKind): WorkspaceCommand => (kind === 'restart' ? { kind, force: true } : { kind });
  return commands.filter((kind) => RULES[kind].checks.every((check) => check(state, asked(kind)) === null));
}

/** Whoever is told that the state does not allow one command learns which ones it does. */
function withAllowed(refused: RefusalBody, state: WorkspaceState): RefusalBody {
  return refused.code === 'invalid_state' ? { ...refused, details: { ...refused.details, allowed: allowedIn(state) } } : refused;
}

/** Whether a role and its provider may carry a new workspace. */
export function decideCreate(role: { archived: boolean; providerArchived: boolean }): RefusalBody | null {
  if (role.archived) return refusal('role_archived');
  return role.providerArchived ? refusal('provider_archived') : null;
}
