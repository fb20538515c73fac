import type { TaskSummary, TaskView } from '@reprise/contracts';
import type { TaskEntity } from './task.entity';
import type { ListedTask } from './tasks.repository';

/** A task as the REST contract shows it. */
export function taskView(row: TaskEntity): TaskView {
  const { output } = row;
  return { ...shared(row), ...(output === null ? {} : { output }) };
}

/** The same in a list. */
export function taskSummary(row: ListedTask): TaskSummary {
  return { ...shared(row), ...(row.description_truncated ? { description_truncated: true as const } : {}) };
}

function shared(row: Omit<TaskEntity, 'output' | 'run_command'>): Omit<TaskView, 'output'> {
  const { started_at: started, completed_at: completed } = row;
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    description: row.description,
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    created_at: row.created_at.toISOString(),
    started_at: started?.toISOString() ?? null,
    completed_at: completed?.toISOString() ?? null,
    duration_seconds: started && completed ? Math.max(0, completed.getTime() - started.getTime()) / 1000 : null,
  };
}
