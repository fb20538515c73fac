import type { WorkspaceState } from './workspace.rules';
import type { LoadedWorkspace } from './workspaces.repository';

/** The state that the rules decide on. */
export function stateOf(workspace: LoadedWorkspace): WorkspaceState {
  return {
    status: workspace.status,
    archived: workspace.archived_at !== null,
    roleArchived: workspace.role.archived_at !== null,
    providerArchived: workspace.provider.archived_at !== null,
    runningTaskId: workspace.running_task_id,
  };
}
