import { readFileSync } from 'node:fs';

/** How long a process that has closed its outputs is watched: from there to its end it is a matter of microseconds, if it is ending. */
const WATCH_MS = 20;
/** The place of `state`, `num_threads` and `exit_code` among the fields of /proc/<pid>/stat that follow the name (proc(5)). */
const STATE = 0;
const THREADS = 17;
const EXIT_CODE = 49;

/**
 * The number of the signal that has ended a child, or null where none has. For signals that Node has no name for, the real-time ones: of a child that
 * one of them ended it says `exit` with code 0 and no signal, as of one that succeeded.
 *
 * To be called when all of the child's outputs have ended, without giving up the thread in between: the kernel closes them before the child becomes a
 * zombie, and Node reaps the zombie, and with it what it died of, in a later turn.
 */
export function fatalSignalOf(pid: number): number | null {
  for (const until = performance.now() + WATCH_MS; performance.now() < until;) {
    const fields = statOf(pid);
    if (fields === null) return null;
    // While other threads run, one whose first thread has ended looks like a zombie, too.
    const hasEnded = (fields[STATE] === 'Z' || fields[STATE] === 'X') && Number(fields[THREADS]) <= 1;
    if (hasEnded) return Number(fields[EXIT_CODE]) & 0x7f || null;
  }
  return null;
}

function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
