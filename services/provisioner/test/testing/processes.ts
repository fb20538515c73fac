import { readFileSync } from 'node:fs';

/**
 * Whether nothing of a process runs any more, reaped or not: one that was killed gives its memory back first, and ends a little later. One whose first
 * thread has ended looks like a zombie, and has more than one thread while others run.
 */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' && Number(fields[17]) <= 1;
  } catch {
    return true;
  }
}
