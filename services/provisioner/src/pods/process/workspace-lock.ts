import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PodError } from '../pod-driver';
import type { ProcessTable } from './process-table';

const POLL_MS = 10;

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
  await mkdir(directory, { recursive: true });
  const claim = join(directory, `claim-${randomUUID()}`);
  await writeFile(claim, JSON.stringify({ pid: process.pid, start: await processes.startOf(process.pid) }));
  try {
    for (const until = Date.now() + patienceMs; ;) {
      const highest = Math.max(0, ...(await readdir(directory)).map(Number).filter(Number.isSafeInteger));
      const owner = highest === 0 ? 'dead' : await ownerOf(join(directory, String(highest)), processes);
      if (owner === 'dead' && (await take(claim, join(directory, String(highest + 1))))) return join(directory, String(highest + 1));
      if (Date.now() > until) throw new PodError('locked', `someone else works at this workspace's pods since ${patienceMs} ms`);
      if (owner === 'alive') await sleep(POLL_MS);
    }
  } finally {
    await rm(claim, { force: true });
  }
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
  return (await processes.startOf(owner.pid)) === owner.start ? 'alive' : 'dead';
}
