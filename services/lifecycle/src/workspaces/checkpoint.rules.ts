import type { WorkspaceStatus } from '@reprise/contracts';

/** A checkpoint that failed, or that nobody has told of, is asked for again after so long, or after the role's interval where that is shorter. */
export const ASKED_AGAIN_SECONDS = 300;

interface Idle {
  status: WorkspaceStatus;
  pod_generation: number | null;
  idle_since: Date | null;
  saved_at: Date | null;
  checkpoint_asked_at: Date | null;
  background_work: boolean;
}

/**
 * Whether a checkpoint of the workspace is due: it is idle, something may have changed since it was last saved (a task ran, or something runs in the
 * background), and that is longer ago than its role allows. Pure.
 */
export function isCheckpointDue(
  workspace: Idle,
  { checkpoint_interval_seconds: interval }: { checkpoint_interval_seconds: number },
  now: Date,
): boolean {
  const { status, pod_generation: pod, idle_since: idleSince, saved_at: savedAt, checkpoint_asked_at: askedAt } = workspace;
  if (status !== 'idle' || pod === null || idleSince === null || interval <= 0) return false;
  const mayHaveChanged = savedAt === null || idleSince > savedAt || workspace.background_work;
  const wait = Math.min(interval, ASKED_AGAIN_SECONDS);
  return mayHaveChanged && isOver(savedAt ?? idleSince, interval, now) && (askedAt === null || isOver(askedAt, wait, now));
}

function isOver(since: Date, seconds: number, now: Date): boolean {
  return now.getTime() - since.getTime() >= seconds * 1_000;
}
