import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { buildSync } from 'esbuild';
import { type Launch, ProcessLauncher } from './process-launcher';
import { ProcessTable } from './process-table';

const LINUX = process.platform === 'linux' ? describe : describe.skip;

LINUX('the launcher of processes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-launcher-'));
  const table = new ProcessTable();
  const pids: number[] = [];
  const shell = (script: string, more: Partial<Launch> = {}): Launch => ({
    command: ['/bin/sh', '-c', script],
    cwd: directory,
    env: {},
    logFile: join(directory, 'log'),
    ...more,
  });
  const lives = (pid: number): boolean => table.startOf(pid) !== null;
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((done) => setTimeout(done, 5));
  };

  afterEach(() => {
    for (const pid of pids.splice(0)) if (lives(pid)) process.kill(pid, 'SIGKILL');
    rmSync(join(directory, 'log'), { force: true });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('starts a process in a session of its own, with this environment alone, and appends what it prints', async () => {
    const launcher = new ProcessLauncher();
    for (const word of ['one', 'two']) {
      const { pid, exited } = await launcher.start(shell('env >&2; pwd; exit 3', { env: { WORD: word } }));
      expect(await exited).toBe('3');
      expect(lives(pid)).toBe(false);
    }
    const printed = readFileSync(join(directory, 'log'), 'utf8')
      .split('\n')
      .filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line));
    expect(printed).toEqual(['WORD=one', directory, 'WORD=two', directory, '']);
    expect(statSync(join(directory, 'log')).mode & 0o777).toBe(0o600);
    const { pid, exited } = await launcher.start(shell('exec sleep 600'));
    pids.push(pid);
    expect(await table.of([pid])).toMatchObject([{ session: pid, hasTerminal: false }]);
    process.kill(pid, 'SIGTERM');
    expect(await exited).toBe('SIGTERM');
  });

  it.each([
    ['a program that is not there', { command: ['/no/such/program'] }, 'ENOENT'],
    ['a directory that is not there', { cwd: '/no/such/directory' }, 'ENOENT'],
    ['a log that cannot be written', { logFile: '/no/such/directory/log' }, 'ENOENT'],
    ['an environment that is too long', { env: { LONG: 'x'.repeat(200_000) } }, 'E2BIG'],
  ] as [string, Partial<Launch>, string][])('says why it cannot start %s, and starts the next', async (_what, more, code) => {
    const launcher = new ProcessLauncher();
    await expect(launcher.start(shell('true', more))).rejects.toMatchObject({ code });
    expect(await (await launcher.start(shell('true'))).exited).toBe('0');
  });

  it('starts many at once, and each is told of its own end', async () => {
    const launcher = new ProcessLauncher();
    const ends = await Promise.all(Array.from({ length: 40 }, async (_, n) => (await launcher.start(shell(`exit ${n}`))).exited));
    expect(ends).toEqual(Array.from({ length: 40 }, (_, n) => String(n)));
  });

  it('is begun again where it was killed; what it had started lives on', async () => {
    const launcher = new ProcessLauncher();
    const { pid, exited } = await launcher.start(shell('exec sleep 600'));
    pids.push(pid);
    process.kill(launcher.pid!, 'SIGKILL');
    await expect(exited).rejects.toThrow('the process that starts pods has ended');
    expect(lives(pid)).toBe(true);
    expect(await (await launcher.start(shell('exit 4'))).exited).toBe('4');
  });

  it('ends when it has had nothing to watch for a while, and not before', async () => {
    const launcher = new ProcessLauncher(1);
    const { pid } = await launcher.start(shell('exec sleep 600'));
    pids.push(pid);
    await (
      await launcher.start(shell('true'))
    ).exited;
    const own = launcher.pid!;
    await new Promise((done) => setTimeout(done, 50));
    expect([launcher.pid, lives(own)]).toEqual([own, true]);
    process.kill(pid, 'SIGKILL');
    await until(() => !lives(own));
    expect(launcher.pid).toBeUndefined();
    expect(await (await launcher.start(shell('exit 5'))).exited).toBe('5');
  });

  it('keeps who has begun it from ending until it has answered, and no longer', async () => {
    buildSync({
      entryPoints: [join(__dirname, 'process-launcher.ts')],
      bundle: true,
      platform: 'node',
      outfile: join(directory, 'built.js'),
    });
    copyFileSync(join(__dirname, 'launcher.mjs'), join(directory, 'launcher.mjs'));
    const program = `const launcher = new (require('./built.js').ProcessLauncher)();
      const launch = (script) => ({ command: ['/bin/sh', '-c', script], cwd: '/', env: {}, logFile: null });
      launcher.start(launch('exec sleep 600')).then(({ pid }) => console.log(pid));
      launcher.run(launch('exit 6')).then((how) => console.log(how));`;
    const own = spawn(process.execPath, ['-e', program], { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = await Promise.all([text(own.stdout), once(own, 'exit')]);
    const [pid, how] = printed.split('\n').map(Number);
    pids.push(pid!);
    expect([lives(pid!), how]).toEqual([true, 6]);
  });

  it('ends with who has begun it, and starts nothing for who has died', async () => {
    const program = `const { fork } = require('node:child_process');
      const launcher = fork(process.argv[1], { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      launcher.on('message', () => console.log(launcher.pid));
      launcher.send({ id: 1, command: ['/bin/true'], cwd: '/', env: {}, logFile: null });`;
    const provisioner = spawn(process.execPath, ['-e', program, join(__dirname, 'launcher.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const launcher = Number(String((await once(provisioner.stdout, 'data'))[0]).split('\n')[0]);
    expect(lives(launcher)).toBe(true);
    provisioner.kill('SIGKILL');
    await until(() => !lives(launcher));
  });
});
