import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How long a process that has closed its outputs is watched: from there to its end it is a matter of microseconds, if it is ending. */
const WATCH_MS = 20;
/** The place of `state`, `num_threads` and `exit_code` among the fields of /proc/<pid>/stat that follow the name (proc(5)). */
const STATE = 0;
const THREADS = 17;
const EXIT_CODE = 49;

/**
 * What a child died of, read before Node reaps it. For signals that Node has no name for, the real-time ones: of a child that one of them ended it says
 * `exit` with code 0 and no signal, as of one that succeeded.
 *
 * The kernel closes the outputs of a child before it makes it a zombie, and Node reads what they had last before it reaps. The end of an output may come
 * after the reaping, where its last data were read in the same turn (Node 24): so there is a look with each of both.
 */
export class FatalSignal {
  /** The number of the signal; null where none is known to have ended it. */
  number: number | null = null;
  private isKnown = false;

  constructor(private readonly child: ChildProcess) {}

  /** With each piece of output. Takes microseconds. */
  look(): void {
    if (this.isKnown || this.child.pid === undefined || this.child.exitCode !== null) return;
    const fields = statOf(this.child.pid);
    // While other threads run, one whose first thread has ended looks like a zombie, too.
    if (fields === null || !['Z', 'X'].includes(fields[STATE] ?? '') || Number(fields[THREADS]) > 1) return;
    this.isKnown = true;
    this.number = Number(fields[EXIT_CODE]) & 0x7f || null;
  }

  /** When all outputs have ended: the child is about to be a zombie, if it is ending. Gives up the thread for nothing else. */
  watch(): void {
    for (const until = performance.now() + WATCH_MS; !this.isKnown && this.child.exitCode === null && performance.now() < until;)
      this.look();
  }
}

function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
