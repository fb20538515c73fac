import { setTimeout as sleep } from 'node:timers/promises';
import { KILL_AFTER_MS } from '../processes/pod-processes';
import { livingProcesses } from '../processes/process-table';

/** SIGKILL cannot be ignored, but a process in an uninterruptible wait takes it late. */
const GONE_AFTER_MS = 3_000;
const POLL_MS = 20;

/** Ends a whole process group: SIGTERM, five seconds, SIGKILL. Resolves when it is gone, or nothing more can be done. */
export async function endGroup(pgid: number, killAfterMs = KILL_AFTER_MS): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGTERM', killAfterMs],
    ['SIGKILL', GONE_AFTER_MS],
  ] as const) {
    const until = Date.now() + patienceMs;
    // SIGKILL goes out again and again: a dying process may have forked just before.
    let signalled = false;
    for (;;) {
      if (!(await hasLiving(pgid))) return;
      if ((!signalled || signal === 'SIGKILL') && !send(pgid, signal)) return;
      signalled = true;
      if (Date.now() >= until) break;
      await sleep(POLL_MS);
    }
  }
}

/** Whether a process of the group does more than wait to be reaped. Where there is no /proc, a signal tells alone. */
async function hasLiving(pgid: number): Promise<boolean> {
  if (!send(pgid, 0)) return false;
  const all = await livingProcesses();
  return all.length === 0 || all.some(({ group }) => group === pgid);
}

/** False where there is no such group. */
function send(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pgid, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
