import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promises, readFileSync } from 'node:fs';
import { MOST_READ } from './process-environment';
import { ProcessTable } from './process-table';

const LINUX = process.platform === 'linux' ? describe : describe.skip;
const PROCESSES = 20;
const MIB = 1024 * 1024;
/** Linux takes at most 128 KiB in one entry, and a quarter of the stack's limit in all of them. */
const ENTRY = 'x'.repeat(100_000);

LINUX('the table of processes', () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  /** Each with 6 MB of environment, and with this as the first entries and the last one of it. */
  async function begin(first: Record<string, string>, last: Record<string, string> = {}): Promise<number[]> {
    const large = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`ENTRY_${n}`, ENTRY]));
    const script = `ulimit -s 65536 && exec ${process.execPath} -e '
      const large = JSON.parse(require("fs").readFileSync(0));
      require("child_process").spawn("sleep", ["600"], { env: large, stdio: "ignore" }).once("spawn", function () { console.log(this.pid); });'`;
    const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    child.stdin.end(JSON.stringify({ ...first, ...large, ...last }));
    const pid = Number(String((await once(child.stdout, 'data'))[0]));
    started.push(child, { kill: () => process.kill(pid, 'SIGKILL') } as unknown as ChildProcess);
    return [pid];
  }

  const readSoFar = (): number => Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);

  it('keeps of an environment what is Reprise’s own, and reads no more than a MiB of any', async () => {
    const first = { REPRISE_POD: 'pod', REPRISE_MODE: 'salvage', REPRISE_OTHER: 'not kept' };
    const pids: number[] = [];
    for (let n = 0; n < PROCESSES; n += 1) pids.push(...(await begin(first, { REPRISE_ADDRESS_FILE: 'too far' })));
    const before = readSoFar();
    const found = await new ProcessTable().of(pids);
    const read = readSoFar() - before;
    expect(found.map(({ env }) => Object.fromEntries(env))).toEqual(pids.map(() => ({ REPRISE_POD: 'pod', REPRISE_MODE: 'salvage' })));
    expect(read).toBeGreaterThan(PROCESSES * MOST_READ * 0.9);
    expect(read).toBeLessThan(PROCESSES * MOST_READ + MIB);
  });

  it('finds what it looks for behind large entries, and on the edge between two reads', async () => {
    const table = new ProcessTable();
    for (const length of [0, 1, 60_000, 65_520, 65_521, 65_522, 65_530, 65_535, 65_536, 65_537, 73_700, 131_000]) {
      const env = { A: 'x'.repeat(Math.min(length, 60_000)), B: 'x'.repeat(Math.max(0, length - 60_000)), REPRISE_POD: 'pod', C: 'c' };
      const child = spawn('sleep', ['600'], { env });
      started.push(child);
      await once(child, 'spawn');
      const [info] = await table.of([child.pid!]);
      expect([length, info?.env]).toEqual([length, new Map([['REPRISE_POD', 'pod']])]);
    }
  });

  /** A shell that runs a script as soon as it is told to, with this environment. */
  async function shell(env: NodeJS.ProcessEnv, script: string): Promise<{ pid: number; goOn: () => void }> {
    const child = spawn('/bin/sh', ['-c', `echo; read line; ${script}`], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    started.push(child);
    await once(child.stdout, 'data');
    return { pid: child.pid!, goOn: () => child.stdin.end('\n') };
  }

  const envIn = async (table: ProcessTable, pid: number) => (await table.all()).find((it) => it.pid === pid)?.env;
  const programOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

  it('reads each environment once', async () => {
    const table = new ProcessTable();
    const [pid] = await begin({ REPRISE_POD: 'pod' });
    expect(await envIn(table, pid!)).toEqual(new Map([['REPRISE_POD', 'pod']]));
    const before = readSoFar();
    expect(await envIn(table, pid!)).toEqual(new Map([['REPRISE_POD', 'pod']]));
    // It alone has a MiB of it.
    expect(readSoFar() - before).toBeLessThan(MIB);
  });

  it('sees the environment of the program that a process becomes', async () => {
    const table = new ProcessTable();
    const { pid, goOn } = await shell({}, 'exec env REPRISE_POD=pod REPRISE_MODE=salvage sleep 600');
    expect(await envIn(table, pid)).toEqual(new Map());
    goOn();
    await waitFor(() => programOf(pid) === 'sleep');
    expect(await envIn(table, pid)).toEqual(new Map(Object.entries({ REPRISE_POD: 'pod', REPRISE_MODE: 'salvage' })));
  });

  it('knows a process that was seen with a mark by it, also once it has dropped it', async () => {
    const table = new ProcessTable();
    const { pid, goOn } = await shell({ REPRISE_POD: 'pod', REPRISE_MODE: 'salvage' }, 'exec env -i /bin/sleep 600');
    await table.all();
    goOn();
    await waitFor(() => programOf(pid) === 'sleep');
    expect(await envIn(table, pid)).toEqual(new Map([['REPRISE_POD', 'pod']]));
    expect(await envIn(table, pid)).toEqual(new Map([['REPRISE_POD', 'pod']]));
    expect(await envIn(new ProcessTable(), pid)).toEqual(new Map());
  });

  it.each(['all', 'usersRunning'] as const)('callers of %s at the same time share their looks', async (look) => {
    const table = new ProcessTable();
    const listed = jest.spyOn(promises, 'readdir');
    await Promise.all(Array.from({ length: 50 }, () => table[look]()));
    expect(listed).toHaveBeenCalledTimes(2);
    listed.mockRestore();
  });

  it('finds the processes of a user: more than are looked at in one go, and none of another', async () => {
    const table = new ProcessTable();
    const children = Array.from({ length: 120 }, () => spawn('sleep', ['600']));
    started.push(...children);
    await Promise.all(children.map((child) => once(child, 'spawn')));
    const uid = process.getuid!();
    const found = (await table.ofUser(uid)).map(({ pid }) => pid);
    expect(found).toEqual(expect.arrayContaining([process.pid, ...children.map(({ pid }) => pid)]));
    expect(await table.usersRunning()).toContain(uid);
    expect(await table.ofUser(1_999_999_999)).toEqual([]);
  });
});

async function waitFor(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((done) => setTimeout(done, 5));
}
