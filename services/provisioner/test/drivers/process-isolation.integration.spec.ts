import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from '../../src/pods/agent-client';
import type { PodIdentity, PodSpec } from '../../src/pods/pod-driver';
import { ProcessPodDriver, type ProcessDriverOptions } from '../../src/pods/process/process-pod-driver';
import { bundleAgent } from '../testing/agent-bundle';
import { hasEnded } from '../testing/processes';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';

const isRoot = process.geteuid?.() === 0;
const directory = mkdtempSync(join(tmpdir(), 'reprise-isolation-'));
// The users of pods pass here.
chmodSync(directory, 0o711);
const podsDir = join(directory, 'pods');
const agentPath = bundleAgent(directory);
const newDriver = (options: Partial<ProcessDriverOptions> = {}): ProcessPodDriver =>
  new ProcessPodDriver({ podsDir, agentPath, gatewayUrl: 'http://127.0.0.1:9', ...options });
const driver = newDriver();
const drivers = [driver];

const ownOf = (pod: PodIdentity, root = podsDir): string => join(root, pod.workspaceId, String(pod.generation));
const filesOf = (pod: PodIdentity, root = podsDir): string => join(root, pod.workspaceId, 'workspace');
const agentOf = (pod: PodIdentity): number =>
  (JSON.parse(readFileSync(join(ownOf(pod), 'told', 'agent.json'), 'utf8')) as { pid: number }).pid;
const userOf = (pid: number): number => Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => hasEnded(pid));
}

async function readyPod(spec: PodSpec, by = driver): Promise<AgentClient> {
  const { address } = await by.create(spec);
  const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
  await agent.resumeWork();
  return agent;
}

/** Runs a script as a task of a pod and answers what it printed. */
async function said(agent: AgentClient, description: string): Promise<string> {
  const taskId = `task_${randomUUID()}`;
  await agent.runTask({ taskId, description });
  const end = await until(async () => {
    const lines = (await agent.history()).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { type: string; task_id?: string; output?: string });
    return events.find((event) => event.type === 'task.ended' && event.task_id === taskId);
  });
  await until(async () => (await agent.health()).taskId === null);
  return end.output ?? '';
}

/** Leaves a process that has left its session, its directory, its parent and its environment; prints its id. */
function escape(file: string): string {
  const daemon = `echo $$ > ${file}.new; mv ${file}.new ${file}; trap "" TERM HUP; while :; do sleep 1; done`;
  writeFileSync(`${directory}/daemon-${file.split('/').at(-1)}.sh`, daemon);
  const start = `cd /; /bin/sh ${directory}/daemon-${file.split('/').at(-1)}.sh &`;
  return `setsid env -i /bin/sh -c '${start}' </dev/null >/dev/null 2>&1; while ! [ -e ${file} ]; do sleep 0.02; done; cat ${file}`;
}

const LEVEL = 'd'.repeat(200);
/** Directories whose paths are longer than the kernel takes. */
const DEEP = `${process.execPath} -e '
  const fs = require("node:fs");
  for (let n = 0; n < 40; n += 1) { fs.mkdirSync("${LEVEL}"); process.chdir("${LEVEL}"); }
  fs.writeFileSync("file", "")'`;

/** A pod whose agent has ended is salvaged, whatever a task has left where the agent tells its address. */
async function salvagesBesideDeepTree(by: ProcessPodDriver, root = podsDir): Promise<void> {
  const spec = newSpec();
  const agent = await readyPod(spec, by);
  const told = join(ownOf(spec, root), 'told');
  expect(await said(agent, `echo kept > kept; cd ${told}; ${DEEP}; mkdir ${told}/closed; chmod 0 ${told}/closed; echo made`)).toBe(
    'made\n',
  );
  await kill(Number((await by.inspect(spec))!.ref!.replace('pid ', '')));
  for (const again of [1, 2]) {
    const { address } = await by.salvage(spec);
    expect([again, await new AgentClient({ address, credentials: credentialsOf(spec) }).health()]).toMatchObject([
      again,
      { salvages: true },
    ]);
    expect(readdirSync(told)).toEqual(['agent.json']);
  }
  await by.remove(spec, { graceSeconds: 0 });
}

afterAll(async () => {
  for (const by of drivers) for (const pod of await by.list()) await by.remove(pod, { graceSeconds: 0 });
  rmSync(directory, { recursive: true, force: true });
});

(isRoot ? describe : describe.skip)('a pod that has a user of its own (needs root)', () => {
  it('is what the driver decides for as root', async () => {
    expect(await driver.isolates()).toEqual({ kind: 'user', refused: [] });
  });

  it('ends what dropped its environment, session, directory and parent: at quiesce and at removal', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec);
    const first = Number(await said(agent, escape(join(filesOf(spec), 'first'))));
    expect(hasEnded(first)).toBe(false);
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await agent.resumeWork();
    const second = Number(await said(agent, escape(join(filesOf(spec), 'second'))));
    await driver.remove(spec, { graceSeconds: 1 });
    expect(hasEnded(second)).toBe(true);
  });

  it('ends it also where the agent died and its record was lost', async () => {
    const spec = newSpec();
    const pid = Number(await said(await readyPod(spec), escape(join(filesOf(spec), 'pid'))));
    rmSync(join(ownOf(spec), 'process.json'));
    await kill(agentOf(spec));
    expect(hasEnded(pid)).toBe(false);
    await newDriver().remove(spec, { graceSeconds: 0 });
    expect(hasEnded(pid)).toBe(true);
  });

  it('is ended although it forks all the time', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec);
    const script = 'f() { setsid sh -c "sleep 0.05" & }; trap "" TERM; while :; do f; f; sleep 0.01; done';
    await agent.runTask({ taskId: 'task_1', description: script });
    await until(async () => (await agent.health()).taskId === 'task_1');
    const user = userOf(agentOf(spec));
    await driver.remove(spec, { graceSeconds: 0 });
    const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
    expect(pids.map(Number).filter((pid) => !hasEnded(pid) && userOf(pid) === user)).toEqual([]);
  });

  it('reads, changes and signals nothing of another pod, of the driver, or of the services', async () => {
    const [spec, other] = [newSpec(), newSpec()];
    const agent = await readyPod(spec);
    await readyPod(other);
    const secret = join(directory, 'secret');
    writeFileSync(secret, 'of Reprise', { mode: 0o600 });
    writeFileSync(join(filesOf(other), 'file'), 'of another tenant');
    const forbidden = [
      `cat ${secret}`,
      `cat ${join(filesOf(other), 'file')}`,
      `ls ${filesOf(other)}`,
      `ls ${directory}`,
      `ls ${podsDir}`,
      `ls ${join(podsDir, other.workspaceId)}`,
      `ls ${ownOf(spec)}`,
      `cat ${join(ownOf(spec), 'process.json')}`,
      `cat ${join(ownOf(other), 'told', 'agent.json')}`,
      `cat ${join(ownOf(other), 'agent.log')}`,
      `touch ${join(podsDir, 'made')}`,
      `touch ${join(podsDir, spec.workspaceId, 'made')}`,
      `touch ${join(ownOf(spec), 'made')}`,
      `mv ${join(ownOf(spec), 'told')} ${join(ownOf(spec), 'moved')}`,
      `cat /proc/${process.pid}/environ`,
      `ls /proc/${process.pid}/fd/`,
      `cat /proc/${agentOf(other)}/environ`,
      `ls /proc/${agentOf(other)}/cwd/`,
      `head -c 1 /proc/${agentOf(other)}/mem`,
      `kill -0 ${process.pid}`,
      `kill -KILL ${agentOf(other)}`,
      'setpriv --reuid=0 true',
      `chown 0 ${filesOf(spec)}`,
    ];
    const attempts = forbidden.map((command, n) => `if ${command} >/dev/null 2>&1; then echo ${n}; fi`);
    expect(await said(agent, [...attempts, 'echo end'].join('\n'))).toBe('end\n');
    expect(await said(agent, 'touch allowed && mkdir -p a/b && ln -s x link && echo done')).toBe('done\n');
    const told = await said(agent, 'id -G; grep -E "^(NoNewPrivs|CapBnd|CapEff)" /proc/self/status | sort');
    const user = userOf(agentOf(spec));
    expect(told).toBe(`${user}\nCapBnd:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n`);
    for (const pod of [spec, other]) await driver.remove(pod, { graceSeconds: 5 });
  });

  it('misleads nobody by what it writes in place of its address', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec);
    const file = join(ownOf(spec), 'told', 'agent.json');
    const wrongs = [
      `ln -s /etc/passwd ${file}`,
      `mkfifo ${file}`,
      `mkdir ${file}`,
      `head -c 10000000 /dev/zero > ${file}`,
      `echo '{"pid":1,"port":1}' > ${file}`,
      `echo '{"pid":${agentOf(spec)},"port":"1@elsewhere"}' > ${file}`,
    ];
    for (const wrong of wrongs) {
      await said(agent, `rm -rf ${file}; ${wrong}`);
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'starting', address: null });
    }
    await driver.remove(spec, { graceSeconds: 5 });
    expect(await driver.inspect(spec)).toBeNull();
  });

  it('keeps its user from generation to generation, and shares it with no other workspace', async () => {
    const specs = Array.from({ length: 3 }, () => newSpec());
    const users: number[][] = [];
    for (const by of [0, 1]) {
      for (const [n, spec] of specs.map((each) => nextGeneration(each, by)).entries()) {
        await newDriver().create(spec);
        (users[n] ??= []).push(userOf(agentOf(spec)));
        await driver.remove(spec, { graceSeconds: 5 });
      }
    }
    for (const [before, after] of users) expect(after).toBe(before);
    expect(new Set(users.flat()).size).toBe(3);
  });

  it('gets the user of a workspace without a pod once all are given, and waits where all have one', async () => {
    const few = newDriver({ users: { first: 1_800_000_000, count: 2 }, podsDir: join(directory, 'few') });
    drivers.push(few);
    const [one, two, three] = [newSpec(), newSpec(), newSpec()];
    await Promise.all([few.create(one), few.create(two)]);
    await expect(few.create(three)).rejects.toMatchObject({ reason: 'quota_exceeded', retryable: true });
    await few.remove(one, { graceSeconds: 5 });
    await few.create(three);
    await expect(few.create(nextGeneration(one))).rejects.toMatchObject({ reason: 'quota_exceeded' });
  });

  it('is salvaged after a task left a tree of any depth where its agent told its address', () => salvagesBesideDeepTree(driver));

  it('owns the files of a pod that root made before', async () => {
    const spec = newSpec();
    await driver.create(spec);
    mkdirSync(join(filesOf(spec), 'locked'), { mode: 0o700 });
    writeFileSync(join(filesOf(spec), 'locked', 'file'), 'made by root', { mode: 0o600 });
    symlinkSync('/etc/hostname', join(filesOf(spec), 'link'));
    await kill(agentOf(spec));
    execFileSync('chown', ['-R', '-h', '0:0', filesOf(spec)]);
    const agent = await readyPod(spec);
    expect(await said(agent, 'cat locked/file; rm -r locked link')).toBe('made by root');
    expect(statSync('/etc/hostname').uid).toBe(0);
    await driver.remove(spec, { graceSeconds: 5 });
  });

  it('owns a tree of any depth that root made before', async () => {
    const spec = newSpec();
    await driver.create(spec);
    await kill(agentOf(spec));
    execFileSync('sh', ['-c', DEEP], { cwd: filesOf(spec) });
    execFileSync('chown', ['0:0', filesOf(spec)]);
    const agent = await readyPod(spec);
    expect(await said(agent, `find . -name file -user $(id -u) | wc -l; find . -name file -delete; rm -r ${LEVEL} && echo gone`)).toBe(
      '1\ngone\n',
    );
    await driver.remove(spec, { graceSeconds: 5 });
  });

  it('is refused where it is asked for and cannot be had, and is passed over otherwise', async () => {
    const closed = join(directory, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const options = { podsDir: join(closed, 'pods') };
    const why = expect.stringContaining('pass every parent directory of PODS_DIR') as string;
    // What comes next is another machine's to say.
    const { kind, refused } = await newDriver(options).isolates();
    expect(refused[0]).toEqual(why);
    expect(['cgroup', 'environment']).toContain(kind);
    await expect(newDriver({ ...options, isolation: 'user' }).isolates()).rejects.toMatchObject({ reason: 'denied', detail: why });
    await expect(newDriver({ ...options, isolation: 'user' }).create(newSpec())).rejects.toMatchObject({ reason: 'denied' });
  });
});

describe('a pod that has only the mark in its environment', () => {
  const root = join(directory, 'marked');
  const marked = newDriver({ isolation: 'environment', podsDir: root });
  drivers.push(marked);

  it('ends at quiesce what dropped its environment and session and works in the workspace', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, marked);
    const daemon = "setsid env -i /bin/sh -c 'echo $$ > first; exec sleep 600' </dev/null >/dev/null 2>&1 &";
    const first = Number(await said(agent, `${daemon} while ! [ -s first ]; do sleep 0.02; done; cat first`));
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await marked.remove(spec, { graceSeconds: 1 });
  });

  it('is salvaged after a task left a tree of any depth where its agent told its address', () => salvagesBesideDeepTree(marked, root));
});
