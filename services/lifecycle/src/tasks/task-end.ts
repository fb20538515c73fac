import type { TaskStatus, WorkspaceStatus } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import { taskEnded } from '../workspaces/announcements';
import type { LoadedWorkspace, WorkspaceChange } from '../workspaces/workspaces.repository';
import type { TaskEntity } from './task.entity';
import { afterFact } from './task.rules';
import type { TaskChange } from './tasks.repository';

/** What the end of a task does: to its row, to its workspace, and who is told. */
export interface TaskEnd {
  task: TaskChange;
  workspace: WorkspaceChange;
  messages: OutgoingMessage[];
}

export interface End {
  status: Extract<TaskStatus, 'completed' | 'failed' | 'cancelled' | 'delivery_failed'>;
  reason: string | null;
  output?: string | null;
  startedAt?: Date | null;
  completedAt: Date;
}

/** The end of a task, or null where it had ended before. A workspace that was busy with it is idle; one in an operation stays in it. */
export function endOfTask(task: TaskEntity, workspace: LoadedWorkspace, end: End): TaskEnd | null {
  const status = afterFact(task.status, end.status);
  if (status === null) return null;
  const wasBusyWithIt = workspace.running_task_id === task.id;
  const next: WorkspaceStatus | undefined = wasBusyWithIt && workspace.status === 'busy' ? 'idle' : undefined;
  return {
    task: {
      status,
      reason: end.reason,
      run_command: null,
      completed_at: end.completedAt,
      ...(end.output === undefined ? {} : { output: end.output }),
      ...(end.startedAt && !task.started_at ? { started_at: end.startedAt } : {}),
    },
    workspace: wasBusyWithIt ? { running_task_id: null, ...(next ? { status: next } : {}) } : {},
    messages: [
      taskEnded(
        task.id,
        { status, reason: end.reason, output: end.output === undefined ? task.output : end.output },
        { orgId: task.org_id, workspaceId: task.workspace_id, actor: task.requested_by, correlationId: task.correlation_id },
      ),
    ],
  };
}
