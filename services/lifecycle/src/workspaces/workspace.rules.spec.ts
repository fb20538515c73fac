import { WORKSPACE_STATUSES, WorkspaceStatus } from '@reprise/contracts';
import { CommandKind, RULES, WorkspaceCommand, WorkspaceState, decide, decideCreate, allowedIn } from './workspace.rules';

const state = (status: WorkspaceStatus, over: Partial<WorkspaceState> = {}): WorkspaceState => ({
  status,
  archived: false,
  roleArchived: false,
  providerArchived: false,
  runningTaskId: status === 'busy' ? 'task_1' : null,
  ...over,
});

/** The table of docs/architecture.md, written out: for each command, what each status answers. `→ x` is accepted and becomes x. */
const TABLE: Record<string, { command: WorkspaceCommand; answers: Record<WorkspaceStatus, string> }> = {
  restart: {
    command: { kind: 'restart', force: false },
    answers: {
      provisioning: 'invalid_state',
      idle: '→ stopping',
      busy: 'workspace_busy',
      stopping: 'invalid_state',
      stopped: 'invalid_state',
      failed: 'invalid_state',
    },
  },
  'restart with force': {
    command: { kind: 'restart', force: true },
    answers: {
      provisioning: 'invalid_state',
      idle: '→ stopping',
      busy: '→ stopping',
      stopping: 'invalid_state',
      stopped: 'invalid_state',
      failed: 'invalid_state',
    },
  },
  stop: {
    command: { kind: 'stop' },
    answers: {
      provisioning: 'invalid_state',
      idle: '→ stopping',
      busy: '→ stopping',
      stopping: 'invalid_state',
      stopped: 'invalid_state',
      failed: 'invalid_state',
    },
  },
  'an operator’s stop, without a snapshot': {
    command: { kind: 'stop', withoutSnapshot: true },
    answers: {
      provisioning: 'invalid_state',
      idle: '→ stopping',
      busy: '→ stopping',
      stopping: 'invalid_state',
      stopped: 'invalid_state',
      failed: '→ stopping',
    },
  },
  resume: {
    command: { kind: 'resume' },
    answers: {
      provisioning: 'invalid_state',
      idle: 'invalid_state',
      busy: 'invalid_state',
      stopping: 'invalid_state',
      stopped: '→ provisioning',
      failed: '→ provisioning',
    },
  },
  'submit a task': {
    command: { kind: 'submit_task' },
    answers: {
      provisioning: 'invalid_state',
      idle: '→ busy',
      busy: 'workspace_busy',
      stopping: 'invalid_state',
      stopped: 'invalid_state',
      failed: 'invalid_state',
    },
  },
  'cancel the task': {
    command: { kind: 'cancel_task' },
    answers: {
      provisioning: 'invalid_state',
      idle: 'invalid_state',
      busy: '→ busy',
      stopping: 'invalid_state',
      stopped: 'invalid_state',
      failed: 'invalid_state',
    },
  },
  archive: {
    command: { kind: 'archive' },
    answers: {
      provisioning: 'invalid_state',
      idle: 'invalid_state',
      busy: 'invalid_state',
      stopping: 'invalid_state',
      stopped: '→ stopped',
      failed: '→ failed',
    },
  },
  unarchive: {
    command: { kind: 'unarchive' },
    answers: {
      provisioning: 'not_archived',
      idle: 'not_archived',
      busy: 'not_archived',
      stopping: 'not_archived',
      stopped: 'not_archived',
      failed: 'not_archived',
    },
  },
};

function answer(of: WorkspaceState, command: WorkspaceCommand): string {
  const decision = decide(of, command);
  return decision.accepted ? `→ ${decision.status}` : decision.refusal.code;
}

describe('the state table', () => {
  it('has a row for every command', () => {
    const kinds = new Set(Object.values(TABLE).map((row) => row.command.kind));
    expect([...kinds].sort()).toEqual((Object.keys(RULES) as CommandKind[]).sort());
  });

  const rows = Object.entries(TABLE).flatMap(([name, { command, answers }]) =>
    WORKSPACE_STATUSES.map((status) => [name, status, command, answers[status]] as const),
  );

  it.each(rows)('%s, %s', (_name, status, command, expected) => {
    expect(answer(state(status), command)).toBe(expected);
  });

  it.each(rows.filter(([, , command]) => !['archive', 'unarchive'].includes(command.kind)))(
    '%s, %s but archived: workspace_archived comes before everything',
    (_name, status, command) => {
      expect(answer(state(status, { archived: true, roleArchived: true, providerArchived: true }), command)).toBe('workspace_archived');
    },
  );

  it('archives once: an archived workspace is in no state to be archived', () => {
    for (const status of ['stopped', 'failed'] as const)
      expect(answer(state(status, { archived: true }), { kind: 'archive' })).toBe('invalid_state');
  });

  it.each(WORKSPACE_STATUSES)('unarchives an archived workspace that is %s, as it was before', (status) => {
    expect(decide(state(status, { archived: true }), { kind: 'unarchive' })).toEqual({
      accepted: true,
      status,
      archived: false,
      operation: null,
    });
  });

  it('refuses a resume for the role, then for the provider, then for the state', () => {
    const resume = { kind: 'resume' } as const;
    expect(answer(state('idle', { roleArchived: true, providerArchived: true }), resume)).toBe('role_archived');
    expect(answer(state('idle', { providerArchived: true }), resume)).toBe('provider_archived');
    expect(answer(state('idle'), resume)).toBe('invalid_state');
  });

  it.each(['restart', 'stop', 'submit_task', 'cancel_task', 'archive', 'unarchive'] as const)(
    'an archived role does not hinder: %s',
    (kind) => {
      const command = (kind === 'restart' ? { kind, force: true } : { kind }) as WorkspaceCommand;
      for (const status of WORKSPACE_STATUSES) {
        expect(answer(state(status, { roleArchived: true, providerArchived: true }), command)).toBe(answer(state(status), command));
      }
    },
  );

  it('says which task makes the workspace busy, and which status does not allow', () => {
    expect(decide(state('busy'), { kind: 'restart', force: false })).toMatchObject({ refusal: { details: { task_id: 'task_1' } } });
    expect(decide(state('stopped'), { kind: 'stop' })).toMatchObject({ refusal: { details: { status: 'stopped' } } });
  });

  it.each([
    ['provisioning', {}, []],
    ['idle', {}, ['restart', 'stop', 'submit_task']],
    ['busy', {}, ['restart', 'stop', 'cancel_task']],
    ['stopping', {}, []],
    ['stopped', {}, ['resume', 'archive']],
    ['failed', {}, ['resume', 'archive']],
    ['failed', { roleArchived: true }, ['archive']],
    ['stopped', { archived: true }, ['unarchive']],
  ] as const)('says with a refusal for the state what %s %j allows', (status, more, allowed) => {
    const of = state(status, more);
    const refused = Object.values(TABLE)
      .map(({ command }) => decide(of, command))
      .flatMap((decision) => (decision.accepted || decision.refusal.code !== 'invalid_state' ? [] : [decision.refusal]));
    for (const { details } of refused) expect(details).toMatchObject({ status, allowed });
    expect(allowedIn(of)).toEqual(allowed);
  });

  it('bars a new workspace of an archived role or provider', () => {
    expect(decideCreate({ archived: true, providerArchived: true })?.code).toBe('role_archived');
    expect(decideCreate({ archived: false, providerArchived: true })?.code).toBe('provider_archived');
    expect(decideCreate({ archived: false, providerArchived: false })).toBeNull();
  });
});
