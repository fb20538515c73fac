import type { SnapshotLimits } from '../../src/snapshots/limits';

/** Limits that no test's workspace comes near. */
export const LIMITS: SnapshotLimits = { entries: 1_000_000, bytes: 1024 ** 4, depth: 2_048 };
