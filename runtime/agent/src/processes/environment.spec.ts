import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { startedWith } from './environment';
import { processOf, type ProcessInfo } from './process-table';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const MIB = 1024 * 1024;
const ENTRY = 'REPRISE_POD=ws_1/1';

/** A process with so many bytes of environment before the entry. Beyond 1.5 MiB the shell that starts it raises its limit. */
async function withEntryAt(bytes: number): Promise<ProcessInfo> {
  const padding = Object.fromEntries(
    Array.from({ length: Math.ceil(bytes / 100_000) }, (_, n) => [`E${n}`, 'x'.repeat(Math.min(100_000, bytes - n * 100_000))]),
  );
  const child = spawn('sleep', ['600'], { env: { ...padding, REPRISE_POD: 'ws_1/1', LAST: '' }, stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  return processOf(child.pid!)!;
}

const readSoFar = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);

it('an entry is found anywhere in the first MiB of an environment, also between two reads', async () => {
  for (const bytes of [0, 1, 65_000, 65_515, 65_520, 65_525, 65_530, 65_535, 65_540, 131_050, 900_000]) {
    const it = await withEntryAt(bytes);
    expect([bytes, await startedWith(ENTRY, [it])]).toEqual([bytes, [it]]);
  }
  expect(await startedWith('REPRISE_POD=ws_1/10', [await withEntryAt(10)])).toEqual([]);
});

it('no more than a MiB is read of any environment', async () => {
  const all: ProcessInfo[] = [];
  for (let n = 0; n < 20; n += 1) all.push(await withEntryAt(1.6 * MIB));
  const before = readSoFar();
  expect(await startedWith(ENTRY, all)).toEqual([]);
  expect(readSoFar() - before).toBeLessThan(20 * MIB + MIB);
});
