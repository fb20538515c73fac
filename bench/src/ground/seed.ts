import { SUBJECT } from './callers';

/** What a seeded database holds. */
export interface Seed {
  /** Idle ones; then busy ones, then archived ones, a tenth as many of each where `refusing`. */
  readonly workspaces: number;
  readonly tenants: number;
  /** Whether there are workspaces besides that refuse a restart. */
  readonly refusing: boolean;
}

/** 26 characters behind the prefix, of which digits alone are as good as any, and which grow as those of real ids do. */
const ID = `'01' || lpad(n::text, 24, '0')`;
const TENANT = (tenants: number): string => `'bench-' || lpad(((n - 1) % ${tenants})::text, 3, '0')`;
const TENANT_NUMBER = (tenants: number): string => `'01' || lpad((1 + (n - 1) % ${tenants})::text, 24, '0')`;

/** The id of the seeded workspace of this number, from 0. */
export function seededWorkspace(number: number): string {
  return `ws_01${String(number + 1).padStart(24, '0')}`;
}

/** How many of each kind refuse. */
export function refusingOf({ workspaces, refusing }: Seed): number {
  return refusing ? Math.ceil(workspaces / 10) : 0;
}

/**
 * The rows of lifecycle as its own statements would have left them: each tenant's provider and role, its workspaces, and the operation that made
 * each. For an administrator; keys to other tables are not checked again.
 */
export function seedSql(seed: Seed, schema: string): string {
  const { workspaces, tenants } = seed;
  const refusing = refusingOf(seed);
  const all = workspaces + 2 * refusing;
  const [busyFrom, archivedFrom] = [workspaces, workspaces + refusing];
  return `
    SET LOCAL search_path = ${schema};
    SET LOCAL session_replication_role = replica;
    INSERT INTO providers (id, org_id, name, kind, config, created_at, updated_at)
      SELECT 'prov_' || ${ID}, ${TENANT(tenants)}, 'bench', 'anthropic', '{"model": "claude"}', now(), now() FROM generate_series(1, ${tenants}) n;
    INSERT INTO roles (id, org_id, provider_id, name, display_name, command, env, task_timeout_seconds, idle_timeout_seconds, version, created_at, updated_at)
      SELECT 'role_' || ${ID}, ${TENANT(tenants)}, 'prov_' || ${ID}, 'bench', 'Bench', '["cat"]', '{"LANG": "C.UTF-8"}', 3600, 0, 1, now(), now()
        FROM generate_series(1, ${tenants}) n;
    INSERT INTO workspaces (id, org_id, role_id, environment, status, generation, pod_generation, pod_role_version, created_by_user_id,
                            running_task_id, created_at, updated_at, archived_at, idle_since)
      SELECT 'ws_' || ${ID}, ${TENANT(tenants)}, 'role_' || ${TENANT_NUMBER(tenants)}, 'bench',
             CASE WHEN n <= ${busyFrom} THEN 'idle' WHEN n <= ${archivedFrom} THEN 'busy' ELSE 'stopped' END,
             1, CASE WHEN n <= ${archivedFrom} THEN 1 END, CASE WHEN n <= ${archivedFrom} THEN 1 END, '${SUBJECT}',
             CASE WHEN n > ${busyFrom} AND n <= ${archivedFrom} THEN 'task_' || ${ID} END,
             now(), now(), CASE WHEN n > ${archivedFrom} THEN now() END, CASE WHEN n <= ${busyFrom} THEN now() END
        FROM generate_series(1, ${all}) n;
    INSERT INTO operations (id, org_id, workspace_id, kind, status, generation, force, requested_by, correlation_id, phases,
                            created_at, deadline_at, finished_at)
      SELECT 'op_' || ${ID}, ${TENANT(tenants)}, 'ws_' || ${ID}, 'create', 'succeeded', 1, false, '${SUBJECT}', 'msg_' || ${ID},
             '[{"name": "create", "status": "succeeded", "attempt": 1}, {"name": "ready", "status": "succeeded", "attempt": 1}]',
             now(), now() + interval '10 minutes', now()
        FROM generate_series(1, ${all}) n;`;
}

/** All of the tenants pay. */
export function tenantsSql(tenants: number): string {
  return `INSERT INTO billing.tenants (org_id, posture, created_at, updated_at)
    SELECT ${TENANT(tenants)}, 'active', now(), now() FROM generate_series(1, ${tenants}) n ON CONFLICT DO NOTHING`;
}
