import { LONGEST_OUTPUT_TAIL, TaskEnded, TaskStatus, WorkspaceStatus, WorkspaceStatusChanged, newId } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';

/** Where an announcement belongs: the tenant, the workspace, and the command that began it. */
export interface About {
  orgId: string;
  workspaceId: string;
  actor?: string;
  correlationId?: string;
}

function event(type: string, data: object, { orgId, workspaceId, actor, correlationId }: About): OutgoingMessage {
  return { id: newId('message'), type, data, subject: workspaceId, orgId, actor: actor ?? null, correlationId: correlationId ?? null };
}

/** Nothing where the status stays as it was. */
export function statusChanged(
  previous: WorkspaceStatus | null,
  status: WorkspaceStatus,
  generation: number,
  about: About,
): OutgoingMessage[] {
  if (previous === status) return [];
  const data: WorkspaceStatusChanged = { workspace_id: about.workspaceId, previous, status, generation };
  return [event(WorkspaceStatusChanged.type, data, about)];
}

export function taskEnded(
  taskId: string,
  { status, reason, output }: { status: TaskStatus; reason: string | null; output: string | null },
  about: About,
): OutgoingMessage {
  const data: TaskEnded = { task_id: taskId, workspace_id: about.workspaceId, status, reason, output_tail: output && tailOf(output) };
  return event(TaskEnded.type, data, about);
}

/** Not with half of a character at its beginning. */
function tailOf(output: string): string {
  return output.slice(-LONGEST_OUTPUT_TAIL).replace(/^[\udc00-\udfff]/, '');
}

export { event as announce };
