import type { WorkspaceStatus } from '@reprise/contracts';

/** Whether a workspace has been idle for as long as its role allows; a role that allows 0 seconds allows any time. Pure. */
export function hasIdled(
  { status, idle_since: since }: { status: WorkspaceStatus; idle_since: Date | null },
  { idle_timeout_seconds: timeout }: { idle_timeout_seconds: number },
  now: Date,
): boolean {
  return status === 'idle' && since !== null && timeout > 0 && now.getTime() - since.getTime() >= timeout * 1000;
}
