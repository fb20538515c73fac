import {
  DEAD_LETTER_STATUSES,
  type DeadLetterEventView,
  type DeadLetterGroupView,
  type DeadLetterView,
  type DeadLetterWhole,
  ERROR_CODES,
  EXAMPLE,
  type IdKind,
  OPERATION_ERRORS,
  OPERATION_KINDS,
  OPERATION_STATUSES,
  type OperationView,
  PACK_STATUSES,
  PHASE_STATUSES,
  type PhaseView,
  POD_LOST_POLICIES,
  PROVIDER_KINDS,
  type ProviderSummary,
  type ProviderView,
  REPLAY_STATUSES,
  type ReplayView,
  RoleRuntime,
  type RoleSummary,
  type RoleView,
  STEPS,
  TASK_STATUSES,
  type TaskSummary,
  type TaskView,
  WORKSPACE_STATUSES,
  type WorkspaceView,
  idPattern,
} from '@reprise/contracts';
import { schemaOf } from './schema-of-rules';
import { choice, integer, object, orNull, ref, type Schema, text, time } from './schema';

/** Says at compile time when a view has a field that is not described, or the other way round. */
type Fields<View> = Record<keyof View, Schema>;

const id = (kind: IdKind & keyof typeof EXAMPLE, description: string): Schema =>
  text(description, { pattern: idPattern(kind), examples: [EXAMPLE[kind]] });

const CREATED = time('When it was made.');
const UPDATED = time('When it last changed.');
const ARCHIVED = orNull(time('When it was archived; null where it is not.'));

const phase: Fields<Required<PhaseView>> = {
  name: choice(STEPS, 'The step.'),
  status: choice(PHASE_STATUSES, 'How far it is.'),
  started_at: time('When it began.'),
  finished_at: orNull(time('When it ended.')),
  detail: text('What there is to say of it.'),
};

const operation: Fields<Required<OperationView>> = {
  id: id('operation', 'Its id.'),
  workspace_id: id('workspace', 'The workspace that it changes.'),
  kind: choice(OPERATION_KINDS, 'What it does.'),
  status: choice(OPERATION_STATUSES, 'How far it is; succeeded and failed are ends.'),
  generation: integer('The generation of the workspace that it made.'),
  force: { type: 'boolean', description: 'Whether it was to interrupt a running task.' },
  requested_by: text('Who asked for it.'),
  phases: { type: 'array', items: ref('Phase'), description: 'Its steps so far, in order.' },
  state_from: text(
    'What the new pod began from: a snapshot; `salvage`, what a lost pod left, saved first; or `empty`. The phase `restore` has its time.',
    { examples: [EXAMPLE.snapshot] },
  ),
  error: object(
    { code: choice(OPERATION_ERRORS, 'Which step failed, or why else.'), message: text('What happened.') },
    [],
    'Why it failed.',
  ),
  created_at: CREATED,
  finished_at: orNull(time('When it ended.')),
};

const workspace: Fields<Required<WorkspaceView>> = {
  id: id('workspace', 'Its id.'),
  org_id: text('The org that owns it.'),
  role_id: id('role', 'What it runs as.'),
  environment: orNull(text('A label of your own; the pod sees it as REPRISE_ENVIRONMENT.')),
  status: choice(WORKSPACE_STATUSES, 'What it does just now.'),
  generation: integer('Raised by every accepted operation.'),
  created_by_user_id: text('Who made it.'),
  snapshot_ref: orNull(text('Its last good snapshot.')),
  last_snapshot_error: orNull(
    text('Why the last snapshot failed, or why the state is older than the end of the pod before; null once one has succeeded.'),
  ),
  failure: object(
    {
      code: choice(OPERATION_ERRORS, 'Which step failed, or why else.'),
      message: text('What happened.'),
      operation_id: orNull(id('operation', 'The operation that failed; null where none was under way.')),
      at: time('When.'),
    },
    [],
    'Why it failed; until an operation succeeds.',
  ),
  pack_status: choice(PACK_STATUSES, 'Whether its pod runs its role as the role is now.'),
  operation: orNull(ref('Operation')),
  created_at: CREATED,
  updated_at: UPDATED,
  archived_at: ARCHIVED,
};

const task: Fields<Required<TaskView>> = {
  id: id('task', 'Its id.'),
  workspace_id: id('workspace', 'Where it runs.'),
  description: text('Its text, which the command of the role reads on standard input.'),
  status: choice(TASK_STATUSES, 'How far it is; completed, failed, cancelled and delivery_failed are ends.'),
  output: text('What it wrote.'),
  reason: text('Why it ended otherwise than completed: interrupted_by_restart, interrupted_by_stop, timeout, exit_1, …'),
  created_at: CREATED,
  started_at: orNull(time('When it began to run.')),
  completed_at: orNull(time('When it ended.')),
  duration_seconds: orNull({ type: 'number', description: 'How long it ran.' }),
};

const { output: _output, ...listedTask } = task;
const taskSummary: Fields<Required<TaskSummary>> = {
  ...listedTask,
  description: text('Its text, or the beginning of a long one.'),
  description_truncated: { type: 'boolean', const: true, description: 'There where the text is longer; get the task to see all of it.' },
};

const role: Fields<RoleView> = {
  id: id('role', 'Its id.'),
  name: text('A slug, unique in the org.'),
  display_name: text('A name for people.'),
  provider_id: id('provider', 'The provider that it uses.'),
  command: { type: 'array', items: { type: 'string' }, description: "What a task runs; the task's text comes on standard input." },
  env: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Environment variables of its tasks; without caps:write each value is `***`.',
  },
  secret_env: {
    type: 'array',
    items: { type: 'string' },
    description: 'The names of the variables whose values nobody can read back.',
  },
  task_timeout_seconds: integer('How long a task may run.'),
  idle_timeout_seconds: integer('After so long without a task an idle workspace stops; 0 is never.'),
  runtime: {
    ...schemaOf(RoleRuntime),
    description: 'What its pods run in and how much of it; what is left out is the default of the installation.',
  },
  on_pod_lost: choice(
    POD_LOST_POLICIES,
    'What becomes of a workspace whose pod is lost: it stays failed, or is resumed: from what the pod left, else from its last good snapshot.',
  ),
  checkpoint_interval_seconds: integer(
    'How often an idle workspace is saved while its pod stays up, if anything may have changed since; 0 is never.',
  ),
  version: integer('Raised by every change.'),
  created_at: CREATED,
  updated_at: UPDATED,
  archived_at: ARCHIVED,
};

const { env: _env, secret_env: _secrets, ...roleSummary } = role;

const provider: Fields<ProviderView> = {
  id: id('provider', 'Its id.'),
  name: text('A slug, unique in the org.'),
  kind: choice(PROVIDER_KINDS, 'Whose models it offers.'),
  config: {
    type: 'object',
    additionalProperties: true,
    description: 'Given to pods as it is: no place for secrets. Without caps:write each value is `***`.',
  },
  created_at: CREATED,
  updated_at: UPDATED,
  archived_at: ARCHIVED,
};

const { config: _config, ...providerSummary } = provider;

const count = (description: string): Schema => integer(description, { minimum: 0 });
const FIRST_FAILED = time('When it failed first.');
const LAST_FAILED = time('When it failed last.');

const deadLetter: Fields<DeadLetterView> = {
  id: id('dead_letter', 'Its id.'),
  status: choice(DEAD_LETTER_STATUSES, 'What has become of it; open and failed_again wait for an operator.'),
  message_id: orNull(text("The message's id.")),
  type: orNull(text("The message's type.")),
  queue: text('The queue that failed, to which a replay goes.'),
  org_id: orNull(text('The org that the message is of.')),
  workspace_id: orNull(text('The workspace that the message is about.')),
  reason: text('Why it is dead: unparseable, invalid, no_handler, retries_exhausted, …'),
  exception: orNull(text('What was thrown.')),
  attempts: count('How often it was tried before it died last.'),
  deaths: count('How often it has died.'),
  replays: count('How often it was replayed.'),
  group: text('Shared by letters that failed for the same cause.'),
  first_failed_at: FIRST_FAILED,
  last_failed_at: LAST_FAILED,
  bytes: count('How long its body is.'),
  replay_id: orNull(id('replay', 'The replay that it was last part of.')),
  edited_from: orNull(id('dead_letter', 'The letter that it is an edited copy of.')),
  edited_to: orNull(id('dead_letter', 'Its edited copy.')),
};

const deadLetterEvent: Fields<DeadLetterEventView> = {
  at: time('When.'),
  action: text('died, died_again, replay_requested, replayed, failed_again, discarded, edited, replay_cancelled.'),
  actor: orNull(text('Who did it; null where no person did.')),
  detail: { type: 'object', additionalProperties: true, description: 'What belongs to it: the reason, the replay, …' },
};

const deadLetterWhole: Fields<DeadLetterWhole> = {
  ...deadLetter,
  sender: orNull(text('The broker user that sent the message first; null where nobody vouches for one.')),
  stack: orNull(text('Where it was thrown.')),
  headers: { type: 'object', additionalProperties: true, description: 'The headers as received; bytes as {"!": "bytes", "base64": …}.' },
  properties: { type: 'object', additionalProperties: true, description: 'The AMQP properties as received.' },
  body: object(
    {
      encoding: choice(['utf8', 'base64'], 'How the content is written: as it is where it is text.'),
      content: text('The body as it was received.'),
      truncated: { type: 'boolean', description: 'Whether only its first mebibyte is shown.' },
    },
    [],
    'The body.',
  ),
  history: { type: 'array', items: ref('DeadLetterEvent'), description: 'What happened to it, oldest first; kept for good.' },
};

const deadLetterGroup: Fields<DeadLetterGroupView> = {
  group: text('What the letters share; filter by it.'),
  type: orNull(text("The messages' type.")),
  queue: text('The queue that failed.'),
  reason: text('Why they are dead.'),
  exception: orNull(text('What was thrown for one of them.')),
  count: count('How many there are.'),
  first_failed_at: FIRST_FAILED,
  last_failed_at: LAST_FAILED,
};

const replay: Fields<ReplayView> = {
  id: id('replay', 'Its id.'),
  status: choice(REPLAY_STATUSES, 'done: everything is sent; what comes back is counted also after that.'),
  rate_per_second: integer('How many messages it sends in a second at most.'),
  requested_by: text('Who asked for it.'),
  created_at: CREATED,
  finished_at: orNull(time('When the last message was sent, or it was cancelled.')),
  total: count('How many letters it has.'),
  pending: count('Not sent yet.'),
  done: count('Sent, and not come back.'),
  failed_again: count('Sent, and come back dead.'),
  discarded: count('Discarded before they were sent.'),
  cancelled: count('Left as they were, since it was cancelled.'),
  last_error: orNull(text('Why it does not get on just now.')),
};

const accepted = (status: string): Schema =>
  object({
    status: { type: 'string', const: status },
    operation_id: id('operation', 'Follow it with GET /v1/operations/{operation_id}?wait=60.'),
  });
const marked = (...statuses: string[]): Schema => object({ status: choice(statuses, 'What it is now.') });
const page = (name: string, of: string): Schema =>
  object(
    {
      [name]: { type: 'array', items: ref(of) },
      cursor: text('Where the next page begins; absent on the last. A page of large things may have fewer than `limit`.'),
    },
    ['cursor'],
  );

/** The bodies of all answers, by the name that they have in the API description. */
export const SCHEMAS = {
  Error: object({
    error: object(
      {
        code: choice(Object.keys(ERROR_CODES), 'Why, as one of a closed list.'),
        message: text('One sentence that a person can act on.'),
        request_id: text('Also in the header X-Request-Id; it finds the request in the logs.'),
        details: { type: 'object', additionalProperties: true, description: 'What belongs to the code.' },
      },
      ['details'],
    ),
  }),
  DeadLetter: object(deadLetter),
  DeadLetterEvent: object(deadLetterEvent),
  DeadLetterWhole: object(deadLetterWhole),
  DeadLetterPage: page('dead_letters', 'DeadLetter'),
  DeadLetterGroup: object(deadLetterGroup),
  DeadLetterGroups: object({ groups: { type: 'array', items: ref('DeadLetterGroup') } }),
  Discarded: object({ discarded: count('How many letters were given up.') }),
  Replay: object(replay),
  ReplayPage: page('replays', 'Replay'),
  Phase: object(phase, ['detail']),
  Operation: object(operation, ['state_from', 'error']),
  Workspace: object(workspace, ['failure']),
  WorkspacePage: page('workspaces', 'Workspace'),
  Restarting: accepted('restarting'),
  Resuming: accepted('resuming'),
  Stopping: accepted('stopping'),
  Archived: marked('archived'),
  Unarchived: marked('unarchived'),
  Task: object(task, ['output', 'reason']),
  TaskSummary: object(taskSummary, ['reason', 'description_truncated']),
  TaskPage: page('tasks', 'TaskSummary'),
  TaskSubmitted: object({
    task_id: id('task', 'Its id.'),
    workspace_id: id('workspace', 'Where it runs.'),
    status: { type: 'string', const: 'submitted' },
  }),
  TaskCancelling: object({ task_id: id('task', 'The task that is asked to end.'), status: text('`cancelling`.') }),
  Role: object(role),
  RoleSummary: object(roleSummary satisfies Fields<RoleSummary>),
  RolePage: page('roles', 'RoleSummary'),
  Provider: object(provider),
  ProviderSummary: object(providerSummary satisfies Fields<ProviderSummary>),
  ProviderPage: page('providers', 'ProviderSummary'),
  ProviderArchived: object({
    status: { type: 'string', const: 'archived' },
    cascaded_roles: count('How many roles were archived with it.'),
  }),
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof SCHEMAS;
