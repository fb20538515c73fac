import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PodError } from '../pod-driver';
import type { ProcessTable } from './process-table';

const POLL_MS = 10;
/**
 * A holder that was killed may have forked just before: until that child has become the program that it is to be, nobody
 * can tell what it is. Far longer than that takes, and only ever waited after a crash.
 */
const SETTLE_MS = 500;

/**
 * One holder at a time in a directory, among all processes of the machine, and none for longer than it lives. The holder
 * is the highest number there; each says whose it is. A number is taken by linking a written file to it, which fails where
 * it is taken. A dead holder's number is passed over, never freed: only so can nobody free what another just took.
 */
export async function withLock<T>(directory: string, processes: ProcessTable, patienceMs: number, act: () => Promise<T>): Promise<T> {
  const held = await acquire(directory, processes, patienceMs);
  try {
    return await act();
  } finally {
    await rm(held, { force: true });
  }
}

async function acquire(directory: string, processes: ProcessTable, patienceMs: number): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const claim = join(directory, `claim-${randomUUID()}`);
  await writeFile(claim, JSON.stringify({ pid: process.pid, start: processes.startOf(process.pid) }));
  try {
    for (const until = Date.now() + patienceMs; ;) {
      const highest = Math.max(0, ...(await readdir(directory)).map(Number).filter(Number.isSafeInteger));
      const owner = highest === 0 ? 'dead' : await ownerOf(join(directory, String(highest)), processes);
      const next = join(directory, String(highest + 1));
      if (owner === 'dead' && (await take(claim, next))) {
        if (highest > 0) await settle(join(directory, `${highest}.settled`));
        return next;
      }
      if (Date.now() > until) throw new PodError('locked', `someone else works at this workspace's pods since ${patienceMs} ms`);
      if (owner === 'alive') await sleep(POLL_MS);
    }
  } finally {
    await rm(claim, { force: true });
  }
}

/** A dead holder's number stays, so that it has been waited for is written down: only the first one after it waits. */
async function settle(mark: string): Promise<void> {
  const settled = await readFile(mark).then(
    () => true,
    () => false,
  );
  if (settled) return;
  await sleep(SETTLE_MS);
  await writeFile(mark, '');
}

async function take(claim: string, number: string): Promise<boolean> {
  try {
    await link(claim, number);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** `released`: it was there a moment ago. */
async function ownerOf(number: string, processes: ProcessTable): Promise<'alive' | 'dead' | 'released'> {
  let text: string;
  try {
    text = await readFile(number, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'released';
    throw error;
  }
  const owner = JSON.parse(text) as { pid: number; start: string };
  return processes.startOf(owner.pid) === owner.start ? 'alive' : 'dead';
}
