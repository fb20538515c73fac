import type { ErrorCode } from '@reprise/contracts';

/** The things that the routes name. */
export interface Ids {
  /** A workspace that is idle. */
  idle: string;
  /** A workspace that is stopped. */
  stopped: string;
  operation: string;
  task: string;
  /** A role that the idle workspace runs as. */
  role: string;
  provider: string;
  /** A provider that nothing uses. */
  spare: string;
}

/** One row of the REST contract's table of routes. */
export interface Route {
  method: 'GET' | 'POST' | 'PATCH';
  path: (ids: Ids) => string;
  body?: (ids: Ids, name: string) => object;
  /** The scope that gates it; it has an `:own` form unless it is about roles and providers. Null: any valid token will do. */
  scope: 'workspace:read' | 'workspace:write' | 'tasks:write' | 'caps:write' | null;
  /** Whether billing has a say. */
  adds: boolean;
  /** The thing in its path, and the 404 where there is no such one; null where there is none in it. */
  missing: ErrorCode | null;
  /**
   * What a caller with the right gets for these ids: done, or a refusal by the state, which comes after every check of rights. So the whole
   * table can be tried on the same things, and nothing changes.
   */
  permitted: number;
}

const workspace = { missing: 'workspace_not_found' } as const;
const role = { missing: 'role_not_found' } as const;
const provider = { missing: 'provider_not_found' } as const;
const [read, write, tasks, caps, anyone] = [
  { method: 'GET', scope: 'workspace:read', adds: false, permitted: 200 },
  { method: 'POST', scope: 'workspace:write' },
  { method: 'POST', scope: 'tasks:write', adds: true, permitted: 409 },
  { method: 'POST', scope: 'caps:write' },
  { method: 'GET', scope: null, adds: false, permitted: 200 },
] as const;

export const ROUTES: readonly Route[] = [
  {
    ...write,
    path: () => '/v1/workspaces',
    body: (ids) => ({ role_id: ids.role }),
    adds: true,
    missing: null,
    permitted: 201,
  },
  { ...read, path: () => '/v1/workspaces', missing: null },
  { ...read, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}` },
  { ...write, ...workspace, path: (ids) => `/v1/workspaces/${ids.stopped}/restart`, adds: true, permitted: 409 },
  { ...tasks, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}/resume` },
  { ...write, ...workspace, path: (ids) => `/v1/workspaces/${ids.stopped}/stop`, adds: false, permitted: 409 },
  { ...write, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}/archive`, adds: false, permitted: 409 },
  { ...write, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}/unarchive`, adds: true, permitted: 409 },
  { ...read, path: (ids) => `/v1/operations/${ids.operation}`, missing: 'operation_not_found' },
  { ...tasks, ...workspace, path: (ids) => `/v1/workspaces/${ids.stopped}/tasks`, body: () => ({ description: 'echo' }) },
  { ...read, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}/tasks` },
  { ...read, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}/tasks/${ids.task}` },
  { ...write, ...workspace, path: (ids) => `/v1/workspaces/${ids.idle}/task/cancel`, adds: false, permitted: 409 },
  {
    ...caps,
    path: () => '/v1/agent-roles',
    body: (ids, name) => ({ name, command: ['sh'], provider_id: ids.provider }),
    adds: true,
    missing: null,
    permitted: 201,
  },
  { ...anyone, path: () => '/v1/agent-roles', missing: null },
  { ...anyone, ...role, path: (ids) => `/v1/agent-roles/${ids.role}` },
  {
    ...caps,
    ...role,
    method: 'PATCH',
    path: (ids) => `/v1/agent-roles/${ids.role}`,
    body: () => ({ display_name: 'Changed' }),
    adds: true,
    permitted: 200,
  },
  { ...caps, ...role, path: (ids) => `/v1/agent-roles/${ids.role}/archive`, adds: false, permitted: 409 },
  { ...caps, ...role, path: (ids) => `/v1/agent-roles/${ids.role}/unarchive`, adds: true, permitted: 409 },
  {
    ...caps,
    path: () => '/v1/providers',
    body: (_, name) => ({ name, kind: 'none' }),
    adds: true,
    missing: null,
    permitted: 201,
  },
  { ...anyone, path: () => '/v1/providers', missing: null },
  { ...anyone, ...provider, path: (ids) => `/v1/providers/${ids.provider}` },
  {
    ...caps,
    ...provider,
    method: 'PATCH',
    path: (ids) => `/v1/providers/${ids.provider}`,
    body: () => ({ config: { changed: true } }),
    adds: true,
    permitted: 200,
  },
  { ...caps, ...provider, path: (ids) => `/v1/providers/${ids.spare}/archive`, adds: false, permitted: 200 },
  { ...caps, ...provider, path: (ids) => `/v1/providers/${ids.provider}/unarchive`, adds: true, permitted: 409 },
];

/** How a route is called in a test's name. */
export function nameOf({ method, path }: Route): string {
  const words = { idle: '{id}', stopped: '{id}', operation: '{id}', task: '{task_id}', role: '{id}', provider: '{id}', spare: '{id}' };
  return `${method} ${path(words)}`;
}
