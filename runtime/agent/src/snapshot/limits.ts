import { setImmediate as nextTurn } from 'node:timers/promises';
import { AgentError } from '../errors';
import type { Directory } from '../files/directory';
import { toText, type RawPath } from '../files/raw-path';
import { walk } from './walk';

/** What a snapshot may have at most. Whoever orders it says so; a limit that is not named is none. */
export interface SnapshotLimits {
  readonly entries?: number;
  /** Of all files together, as long as they say that they are: a hole counts like any other bytes. */
  readonly bytes?: number;
  /** How many directories deep. */
  readonly depth?: number;
}

/** Linux opens no longer path (PATH_MAX with its end): what lies deeper is out of reach for most programs, and for any other tar. */
export const LONGEST_PATH = 4095;
/** After so many entries others get their turn. */
const AT_ONCE = 512;

/**
 * Looks through the workspace before any of it is read, so that one which is too large is refused while its pod is there and untouched.
 * @throws AgentError `snapshot_too_large`, whose details say which limit
 */
export async function assertWithin(workspace: Directory, limits: SnapshotLimits, assertQuiesced: () => void): Promise<void> {
  let entries = 0;
  let bytes = 0n;
  for (const { path, depth, stat, type } of walk(workspace)) {
    if (++entries % AT_ONCE === 0) {
      await nextTurn();
      assertQuiesced();
    }
    if (type === 'file') bytes += stat.size;
    if (path.length > LONGEST_PATH) throw tooLarge('path_bytes', LONGEST_PATH, `a path is ${path.length} bytes long: ${shortened(path)}`);
    if (depth > (limits.depth ?? Infinity)) throw tooLarge('depth', limits.depth, `a path is ${depth} levels deep: ${shortened(path)}`);
    if (entries > (limits.entries ?? Infinity)) throw tooLarge('entries', limits.entries, `it has more than ${limits.entries} entries`);
    if (bytes > (limits.bytes ?? Infinity)) throw tooLarge('bytes', limits.bytes, `its files have more than ${limits.bytes} bytes`);
  }
}

function tooLarge(limit: string, allowed: number | undefined, what: string): AgentError {
  const message = `The workspace is too large for a snapshot: ${what}; the limit of ${limit} is ${allowed}.`;
  return new AgentError('snapshot_too_large', message, { details: { limit, allowed } });
}

function shortened(path: RawPath): string {
  return JSON.stringify(path.length > 100 ? `${toText(path.slice(0, 100))}…` : toText(path));
}
