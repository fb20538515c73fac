import { randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessPodDriver } from '../../src/pods/process/process-pod-driver';
import { LIMITS } from '../testing/limits';
import { hasEnded } from '../testing/processes';
import { until } from '../testing/until';
import { newSpec, nextGeneration } from '../testing/workspaces';
import { keepsThePromisesOfAPodDriver } from './conformance';
import type { DriverOfUser } from './support/driver-of-user';
import * as ground from './support/ground-of-user';

const { agentOf, agentPath, directory, escaped, filesOf, home, isRoot, kill, newDriver } = ground;
const { ownDirectory, ownFile, ownOf, podsDir, processesOf, readyPod, said, state, underTest, user } = ground;

afterAll(() => ground.end());

const withNamespaces = ground.HAS_NAMESPACES ? describe : describe.skip;

withNamespaces('the process driver as an ordinary user, with namespaces', () => {
  keepsThePromisesOfAPodDriver(() => underTest(join(state, 'conform'), { isolation: 'namespace' }), ['bounds', 'salvage']);
});

withNamespaces('a pod in namespaces of its own', () => {
  let driver: DriverOfUser;
  beforeAll(() => {
    driver = newDriver();
  });

  it('is what the driver decides for as an ordinary user', async () => {
    expect(await driver.isolates()).toEqual({ kind: 'namespace', refused: ['user: the provisioner is not root'] });
  });

  (isRoot ? it : it.skip)('is that beside a mount that the user cannot reach, such as a container has (needs root)', async () => {
    // Not in /tmp, which each pod has for itself.
    const closed = mkdtempSync('/opt/reprise-closed-');
    const mounted = join(closed, 'files');
    mkdirSync(mounted);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mounted]);
    try {
      const other = newDriver({ podsDir: ownDirectory(join(state, 'beside-a-mount')) });
      expect(await other.isolates()).toEqual({ kind: 'namespace', refused: ['user: the provisioner is not root'] });
      const spec = newSpec();
      const agent = await readyPod(spec, other);
      expect(await said(agent, `ls ${mounted} 2>&1; echo x > ${mounted}/x; echo done`)).toContain('Permission denied');
      await other.remove(spec, { graceSeconds: 1 });
    } finally {
      execFileSync('umount', ['-l', mounted]);
      rmSync(closed, { recursive: true });
    }
  });

  it('ends what dropped its environment, session, directory and parent: at quiesce and at removal', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const first = await escaped(agent);
    await agent.quiesce('saved');
    expect(hasEnded(first)).toBe(true);
    await agent.resumeWork();
    const second = await escaped(agent);
    await driver.remove(spec, { graceSeconds: 1 });
    expect(hasEnded(second)).toBe(true);
    expect(processesOf(spec)).toEqual([]);
    expect(existsSync(ownOf(spec))).toBe(false);
  });

  it('ends it also where the agent was killed: with it everything in the namespace', async () => {
    const spec = newSpec();
    const pid = await escaped(await readyPod(spec, driver));
    await kill([await agentOf(driver, spec)]);
    await until(() => hasEnded(pid));
    expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead', salvageable: true });
    await driver.remove(spec, { graceSeconds: 0 });
  });

  it('is ended although it forks all the time, and makes namespaces of its own', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    const script = `f() { setsid sh -c "sleep 0.05" & }; trap "" TERM; unshare --user --pid --fork sh -c 'trap "" TERM; while :; do sleep 0.1; done' &
      while :; do f; f; sleep 0.01; done`;
    await agent.runTask({ taskId: 'task_1', description: script });
    await until(async () => (await agent.health()).taskId === 'task_1');
    await driver.remove(spec, { graceSeconds: 0 });
    expect(processesOf(spec)).toEqual([]);
  });

  it('is adopted by the next provisioner by the id that the machine has for its agent, and carried through to its end', async () => {
    const first = newDriver();
    const spec = newSpec();
    const agent = await readyPod(spec, first);
    await said(agent, 'echo kept > file');
    const before = await first.inspect(spec);
    expect(Number(before!.ref!.replace('pid ', ''))).toBeGreaterThan(
      (JSON.parse(readFileSync(join(ownOf(spec), 'told', 'agent.json'), 'utf8')) as { pid: number }).pid,
    );
    await first.kill();
    const next = newDriver();
    expect(await next.inspect(spec)).toEqual(before);
    expect(await next.list()).toContainEqual(before);
    expect((await next.create(spec)).address).toBe(before!.address);
    // Also where the first one was killed before it wrote down which process it is.
    rmSync(join(ownOf(spec), 'process.json'));
    expect(await newDriver().inspect(spec)).toEqual(before);
    await agent.quiesce('saved');
    const { digest, stream } = await agent.snapshot(LIMITS);
    stream.resume();
    await digest;
    await next.remove(spec, { graceSeconds: 5 });
    expect(processesOf(spec)).toEqual([]);
  });

  it('has its workspace at the same path in every generation, which is that of the machine', async () => {
    const first = newSpec();
    for (const spec of [first, nextGeneration(first)]) {
      const agent = await readyPod(spec, driver);
      expect(await said(agent, 'pwd -P; echo "$HOME"; echo x > file')).toBe(`${filesOf(first)}\n${filesOf(first)}\n`);
      expect(readFileSync(join(filesOf(first), 'file'), 'utf8')).toBe('x\n');
      await driver.remove(spec, { graceSeconds: 5 });
    }
  });

  it('reads, changes and signals nothing of the server, of the user, or of another pod', async () => {
    const [spec, other] = [newSpec(), newSpec()];
    const agent = await readyPod(spec, driver);
    await readyPod(other, driver);
    const secret = ownFile(join(state, 'env'), 'of Reprise');
    const ofUser = ownFile(join(home, 'id_ed25519'), 'of the user');
    const temporary = ownFile(join(tmpdir(), `reprise-${randomUUID()}`), 'of another program');
    writeFileSync(join(filesOf(other), 'file'), 'of another tenant');
    const forbidden = [
      ...[secret, ofUser, temporary, join(filesOf(other), 'file'), join(ownOf(other), 'told', 'agent.json')].map((file) => `cat ${file}`),
      `cat ${join(ownOf(spec), 'process.json')}`,
      `ls ${join(podsDir, other.workspaceId)}`,
      `ls ${ownOf(spec)}/agent.log`,
      `touch ${agentPath}`,
      'touch /made',
      `umount ${podsDir}`,
      'umount /tmp',
      'unshare --user --map-root-user --mount umount /tmp',
      'unshare --user --map-root-user --mount umount -l /tmp',
      'unshare --user --map-root-user --mount mount -o remount,bind,rw /',
      ...['cat', 'ls'].flatMap((look) => [
        `${look} /proc/1/root${secret}`,
        `${look} /proc/1/cwd/..${secret}`,
        `${look} /proc/self/cwd/../../env`,
      ]),
      `cat /proc/${await agentOf(driver, other)}/environ`,
      `kill -0 ${await agentOf(driver, other)}`,
      `kill -KILL ${process.pid}`,
      'kill -KILL 1 && ! kill -0 1',
    ];
    const attempts = forbidden.map((command) => `if (${command}) >/dev/null 2>&1; then echo '${command.replaceAll("'", '')}'; fi`);
    expect(await said(agent, [...attempts, 'echo end'].join('\n'))).toBe('end\n');
    // Where the state is in a directory for temporary files, the pod has its own in its place.
    await said(agent, `touch ${join(podsDir, 'made')} ${join(state, 'made')}; true`);
    for (const parent of [podsDir, state]) expect(existsSync(join(parent, 'made'))).toBe(false);
    expect(await said(agent, 'touch allowed /tmp/allowed && cat /tmp/allowed && echo done')).toBe('done\n');
    const told = await said(
      agent,
      'grep -E "^(NoNewPrivs|Cap)" /proc/self/status | sort | uniq -c | grep -vc 0000000000000000; id -u; ls /proc | grep -c "^[0-9]"',
    );
    const [others, uid, seen] = told.trim().split('\n').map(Number);
    expect([others, uid]).toEqual([1, user]);
    expect(seen).toBeLessThan(10);
    rmSync(temporary);
    for (const pod of [spec, other]) await driver.remove(pod, { graceSeconds: 5 });
  });

  it('leaves no orphan unreaped: the first process of the namespace looks after them', async () => {
    const spec = newSpec();
    const agent = await readyPod(spec, driver);
    await said(agent, 'for n in 1 2 3 4 5 6 7 8; do (setsid true &); done');
    const zombies = async (): Promise<string> => said(agent, 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l');
    await until(async () => (await zombies()).trim() === '0');
    await driver.remove(spec, { graceSeconds: 5 });
  });

  it('sees what is named although something that holds it is hidden, and cannot change it', async () => {
    const tools = ownDirectory(join(home, 'tools'));
    ownFile(join(tools, 'tool'), 'a tool');
    const seeing = newDriver({ visiblePaths: [tools] });
    const spec = newSpec();
    const agent = await readyPod(spec, seeing);
    expect(await said(agent, `cat ${join(tools, 'tool')}; ls ${home}; touch ${join(tools, 'x')} 2>/dev/null || echo " closed"`)).toBe(
      'a tooltools\n closed\n',
    );
    await seeing.remove(spec, { graceSeconds: 5 });
  });

  it('is refused where it is asked for and cannot be had', async () => {
    const none = newDriver({ isolation: 'namespace', agentPath: join(directory, 'none.js') });
    await expect(none.isolates()).rejects.toMatchObject({ reason: 'denied', detail: expect.stringContaining('namespace:') });
    if (!isRoot) return;
    const asRoot = new ProcessPodDriver({
      podsDir: join(directory, 'root'),
      agentPath,
      gatewayUrl: 'http://127.0.0.1:9',
      isolation: 'namespace',
    });
    await expect(asRoot.isolates()).rejects.toMatchObject({ reason: 'denied', detail: expect.stringContaining('is root') });
  });
});
