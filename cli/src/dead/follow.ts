import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayView } from '@reprise/contracts';
import type { Terminal } from '../terminal';
import type { DeadLetterApi } from './dead-letter-api';

const LOOK_EVERY_MS = 250;
const WIDTH = 30;

/** Shows a replay until it ends or is paused, and returns it as it is then. */
export async function follow(terminal: Terminal, api: DeadLetterApi, replay: ReplayView): Promise<ReplayView> {
  let now = replay;
  while (now.status === 'running') {
    // Overwriting a line makes no sense where nobody sits.
    if (terminal.ask) terminal.err(`\r${bar(now)}`);
    await sleep(LOOK_EVERY_MS);
    now = await api.get<ReplayView>(`/replays/${replay.id}`);
  }
  if (terminal.ask) terminal.err(`\r${bar(now)}\n`);
  return now;
}

export function bar({ total, pending, failed_again: failed }: ReplayView): string {
  const gone = total - pending;
  const filled = total === 0 ? WIDTH : Math.round((WIDTH * gone) / total);
  return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${gone}/${total}${failed > 0 ? `, ${failed} failed again` : ''}`;
}

/** What became of it, for a person. */
export function summary(replay: ReplayView): string[] {
  const { id, status, total, done, failed_again, discarded, cancelled, pending, last_error } = replay;
  const parts = { done, 'failed again': failed_again, discarded, cancelled, pending };
  const counts = Object.entries(parts).flatMap(([name, count]) => (count > 0 || name === 'done' ? [`${count} ${name}`] : []));
  return [`${id} ${status}: ${total} dead letters, ${counts.join(', ')}`, ...(last_error ? [`It does not get on: ${last_error}`] : [])];
}
