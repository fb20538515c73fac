import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstThreadEnds, HAS_PROGRAM } from '../../test/testing/first-thread-ends';
import { PodProcesses } from './pod-processes';
import { isStopped, processOf } from './process-table';

const workspaceDir = mkdtempSync(join(tmpdir(), 'reprise-processes-'));
const mark = `ws_${process.pid}/1`;
const started: ChildProcess[] = [];
const processes = new PodProcesses({ by: 'environment' }, { mark, workspaceDir });

/** Resolves once it has printed its first line, with that. */
async function run(script: string, options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Promise<number> {
  const child = spawn('sh', ['-c', script], {
    cwd: options.cwd ?? '/',
    env: { PATH: process.env.PATH, ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  started.push(child);
  return Number(String(await once(child.stdout, 'data')));
}
const stateOf = (pid: number): string => processOf(pid)?.state ?? 'gone';
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(5);
};
const pidsOf = async (): Promise<number[]> => (await processes.list()).map(({ pid }) => pid);

afterEach(async () => {
  processes.continue();
  await processes.end(0);
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(workspaceDir, { recursive: true, force: true }));

describe('the processes of a pod', () => {
  it('are found by their mark, by their parent, by their session, and by the directory that they work in', async () => {
    const marked = await run('echo $$; exec sleep 600', { env: { REPRISE_POD: mark } });
    const inSession = await run(`env -i /bin/sh -c 'cd /; echo $$; exec sleep 600'; sleep 600`, { env: { REPRISE_POD: mark } });
    const inWorkspace = await run('setsid env -i /bin/sh -c "echo \\$\\$; exec sleep 600" &', { cwd: workspaceDir });
    expect(await pidsOf()).toEqual(expect.arrayContaining([marked, inSession, inWorkspace]));
  });

  it('do not include the agent, what it runs under, or a zombie', async () => {
    const pid = await run('echo $$; exec sleep 600', { env: { REPRISE_POD: mark } });
    const found = await pidsOf();
    expect(found).toContain(pid);
    for (const other of [1, process.ppid, process.pid]) expect(found).not.toContain(other);
    process.kill(pid, 'SIGKILL');
    await until(async () => !(await pidsOf()).includes(pid));
  });

  it('are ended, although they heed no signal and go on starting others', async () => {
    const script = 'trap "" TERM HUP; echo $$; while :; do setsid sh -c "trap \\"\\" TERM; sleep 600" & sleep 0.05; done';
    await run(script, { env: { REPRISE_POD: mark } });
    expect(await processes.end(100)).toEqual([]);
    expect(await pidsOf()).toEqual([]);
  });

  it('are asked to end before they are killed, also where they are stopped', async () => {
    const file = join(workspaceDir, 'saved');
    const pid = await run(`trap 'echo saved > ${file}; exit' TERM; echo $$; while :; do sleep 0.02; done`, { env: { REPRISE_POD: mark } });
    process.kill(pid, 'SIGSTOP');
    await until(() => stateOf(pid) === 'T');
    expect(await processes.end(10_000)).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe('saved\n');
  });

  it('all stand still once they are frozen, also those that one started while it was frozen', async () => {
    await run('echo $$; while :; do sleep 0.01 & sleep 0.01; done', { env: { REPRISE_POD: mark } });
    await run('echo $$; while :; do setsid sh -c "sleep 0.02" & sleep 0.01; done', { env: { REPRISE_POD: mark } });
    for (let round = 0; round < 10; round += 1) {
      await processes.freeze();
      const found = await processes.list();
      expect(found.length).toBeGreaterThan(0);
      expect(found.filter((it) => !isStopped(it))).toEqual([]);
      processes.continue();
      await until(async () => (await processes.list()).some((it) => !isStopped(it)));
    }
  });

  it('go on after a freeze, but for one that was stopped before', async () => {
    const moving = await run('echo $$; exec sleep 600', { env: { REPRISE_POD: mark } });
    const stopped = await run('echo $$; exec sleep 600', { env: { REPRISE_POD: mark } });
    process.kill(stopped, 'SIGSTOP');
    await until(() => stateOf(stopped) === 'T');
    await processes.freeze();
    expect([stateOf(moving), stateOf(stopped)]).toEqual(['T', 'T']);
    processes.continue();
    await until(() => stateOf(moving) !== 'T');
    expect(stateOf(stopped)).toBe('T');
  });
});

(HAS_PROGRAM ? describe : describe.skip)('a process whose first thread has ended, and others not', () => {
  const log = join(workspaceDir, 'log');
  const program = firstThreadEnds(workspaceDir);
  const size = (): number => (existsSync(log) ? statSync(log).size : 0);
  const grows = async (): Promise<boolean> => {
    const before = size();
    return until(() => size() > before).then(() => true);
  };
  /** Outside of the workspace and in a session of its own, so that its environment alone tells. */
  const begin = async (): Promise<number> => {
    const pid = await run(`echo $$; exec ${program} ${log}`, { env: { REPRISE_POD: mark } });
    await until(() => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '));
    await grows();
    return pid;
  };

  it('is found by what it was started with, and ended', async () => {
    const pid = await begin();
    expect(await pidsOf()).toContain(pid);
    expect(await processes.end(100)).toEqual([]);
    expect(processOf(pid)?.state ?? 'Z').toBe('Z');
    const before = size();
    await sleep(100);
    expect(size()).toBe(before);
  });

  it('is found by the directory that it works in', async () => {
    const pid = await run(`echo $$; exec env -i ${program} ${log}`, { cwd: workspaceDir });
    await until(() => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '));
    expect(await pidsOf()).toContain(pid);
  });

  it('stands still while it is frozen', async () => {
    await begin();
    expect(await processes.freeze()).toBe(1);
    const before = size();
    await sleep(100);
    expect(size()).toBe(before);
    processes.continue();
    expect(await grows()).toBe(true);
  });
});
