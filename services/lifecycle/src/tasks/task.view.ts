import type { TaskView } from '@reprise/contracts';
import type { TaskEntity } from './task.entity';

/** A task as the REST contract shows it. */
export function taskView(row: TaskEntity): TaskView {
  const { started_at: started, completed_at: completed } = row;
  return {
    id: row.id,
    workspace_id: row.workspace_id,
    description: row.description,
    status: row.status,
    ...(row.output === null ? {} : { output: row.output }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    created_at: row.created_at.toISOString(),
    started_at: started?.toISOString() ?? null,
    completed_at: completed?.toISOString() ?? null,
    duration_seconds: started && completed ? Math.max(0, completed.getTime() - started.getTime()) / 1000 : null,
  };
}
