import type { OperationView, PackStatus, WorkspaceView } from '@reprise/contracts';
import { operationView } from '../operations/operation.view';
import type { ShownWorkspace } from './workspaces.repository';

/** A workspace as the REST contract shows it. */
export function workspaceView(row: ShownWorkspace): WorkspaceView {
  return {
    id: row.id,
    org_id: row.org_id,
    role_id: row.role_id,
    environment: row.environment,
    status: row.status,
    generation: row.generation,
    created_by_user_id: row.created_by_user_id,
    snapshot_ref: row.snapshot_ref,
    last_snapshot_error: row.last_snapshot_error,
    ...(row.failure ? { failure: row.failure } : {}),
    pack_status: packStatus(row.pod_role_version, row.role_version),
    operation: shownOperation(row),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    archived_at: row.archived_at?.toISOString() ?? null,
  };
}

function packStatus(podRoleVersion: number | null, roleVersion: number): PackStatus {
  if (podRoleVersion === null) return 'unknown';
  return podRoleVersion === roleVersion ? 'current' : 'stale';
}

function shownOperation({ operation }: ShownWorkspace): OperationView | null {
  return operation && operationView(operation);
}
