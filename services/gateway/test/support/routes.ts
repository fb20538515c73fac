import {
  ArchiveProvider,
  ArchiveRole,
  ArchiveWorkspace,
  CancelTask,
  ChangeProvider,
  ChangeRole,
  CreateProvider,
  CreateRole,
  CreateWorkspace,
  EXAMPLE,
  GetOperation,
  GetProvider,
  GetRole,
  GetTask,
  GetWorkspace,
  ListProviders,
  ListRoles,
  ListTasks,
  ListWorkspaces,
  type MessageClass,
  RestartWorkspace,
  ResumeWorkspace,
  StopWorkspace,
  SubmitTask,
  UnarchiveProvider,
  UnarchiveRole,
  UnarchiveWorkspace,
} from '@reprise/contracts';

/** A route of the public API as the REST contract has it: what it needs, and which message it becomes. */
export interface Route {
  method: string;
  path: string;
  scope: string | null;
  adds: boolean;
  status: number;
  message: MessageClass;
  body?: object;
  /** The message's data, besides the caller. */
  data: object;
  /** The 404 for ids of the wrong form in its path; undefined where there are none. */
  missing?: string;
}

const { workspace: workspace_id, operation: operation_id, task: task_id, role: role_id, provider: provider_id } = EXAMPLE;
const WS = `/v1/workspaces/${workspace_id}`;
const ROLE = `/v1/agent-roles/${role_id}`;
const PROVIDER = `/v1/providers/${provider_id}`;
const PAGE = { limit: 50 };
const LIST = { ...PAGE, include_archived: false };
const NEW_ROLE = { name: 'coder', provider_id, command: ['cat'] };
const NEW_PROVIDER = { name: 'none', kind: 'none' };

const write = 'workspace:write';
const read = 'workspace:read';
const tasks = 'tasks:write';
const caps = 'caps:write';

function route(
  line: string,
  scope: string | null,
  adds: boolean,
  status: number,
  message: MessageClass,
  data: object,
  more: Partial<Route> = {},
): Route {
  const [method = '', path = ''] = line.split(' ');
  return { method, path, scope, adds, status, message, data, ...more };
}

export const ROUTES: readonly Route[] = [
  route('POST /v1/workspaces', write, true, 201, CreateWorkspace, { role_name: 'coder' }, { body: { role_name: 'coder' } }),
  route('GET /v1/workspaces', read, false, 200, ListWorkspaces, LIST),
  route(`GET ${WS}`, read, false, 200, GetWorkspace, { workspace_id }, { missing: 'workspace_not_found' }),
  route(`POST ${WS}/restart`, write, true, 202, RestartWorkspace, { workspace_id, force: false }, { missing: 'workspace_not_found' }),
  route(`POST ${WS}/resume`, tasks, true, 202, ResumeWorkspace, { workspace_id }, { missing: 'workspace_not_found' }),
  route(`POST ${WS}/stop`, write, false, 202, StopWorkspace, { workspace_id }, { missing: 'workspace_not_found' }),
  route(`POST ${WS}/archive`, write, false, 200, ArchiveWorkspace, { workspace_id }, { missing: 'workspace_not_found' }),
  route(`POST ${WS}/unarchive`, write, true, 200, UnarchiveWorkspace, { workspace_id }, { missing: 'workspace_not_found' }),
  route(`GET /v1/operations/${operation_id}`, read, false, 200, GetOperation, { operation_id }, { missing: 'operation_not_found' }),
  route(
    `POST ${WS}/tasks`,
    tasks,
    true,
    202,
    SubmitTask,
    { workspace_id, description: 'x' },
    { body: { description: 'x' }, missing: 'workspace_not_found' },
  ),
  route(`GET ${WS}/tasks`, read, false, 200, ListTasks, { workspace_id, ...PAGE }, { missing: 'workspace_not_found' }),
  route(`GET ${WS}/tasks/${task_id}`, read, false, 200, GetTask, { workspace_id, task_id }, { missing: 'workspace_not_found' }),
  route(`POST ${WS}/task/cancel`, write, false, 202, CancelTask, { workspace_id }, { missing: 'workspace_not_found' }),
  route('POST /v1/agent-roles', caps, true, 201, CreateRole, NEW_ROLE, { body: NEW_ROLE }),
  route('GET /v1/agent-roles', null, false, 200, ListRoles, LIST),
  route(`GET ${ROLE}`, null, false, 200, GetRole, { role_id, with_values: true }, { missing: 'role_not_found' }),
  route(
    `PATCH ${ROLE}`,
    caps,
    true,
    200,
    ChangeRole,
    { role_id, command: ['cat'] },
    { body: { command: ['cat'] }, missing: 'role_not_found' },
  ),
  route(`POST ${ROLE}/archive`, caps, false, 200, ArchiveRole, { role_id }, { missing: 'role_not_found' }),
  route(`POST ${ROLE}/unarchive`, caps, true, 200, UnarchiveRole, { role_id }, { missing: 'role_not_found' }),
  route('POST /v1/providers', caps, true, 201, CreateProvider, NEW_PROVIDER, { body: NEW_PROVIDER }),
  route('GET /v1/providers', null, false, 200, ListProviders, LIST),
  route(`GET ${PROVIDER}`, null, false, 200, GetProvider, { provider_id, with_values: true }, { missing: 'provider_not_found' }),
  route(
    `PATCH ${PROVIDER}`,
    caps,
    true,
    200,
    ChangeProvider,
    { provider_id, config: {} },
    { body: { config: {} }, missing: 'provider_not_found' },
  ),
  route(`POST ${PROVIDER}/archive`, caps, false, 200, ArchiveProvider, { provider_id }, { missing: 'provider_not_found' }),
  route(`POST ${PROVIDER}/unarchive`, caps, true, 200, UnarchiveProvider, { provider_id }, { missing: 'provider_not_found' }),
];
