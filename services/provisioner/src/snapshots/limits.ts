/** What a snapshot may have at most. Checked by the agent before it reads anything, and again when what was stored is read back. */
export interface SnapshotLimits {
  readonly entries: number;
  /** Of all files together, as long as they say that they are: a hole counts like any other bytes. */
  readonly bytes: number;
  /** How many directories deep. */
  readonly depth: number;
}

/** Linux opens no longer path (PATH_MAX without its end). */
export const LONGEST_PATH = 4095;
/** Nor has any of its file systems a longer name. */
export const LONGEST_NAME = 255;
