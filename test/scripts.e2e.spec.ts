import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './support';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
/** Those that are a script of ours, by the command that a person types. */
const OURS = Object.entries(scripts).flatMap(([name, command]) => {
  const [, file] = /^node (scripts\/[\w-]+\.mjs)/.exec(command) ?? [];
  return file === undefined ? [] : [[name, file] as const];
});
/** Jest has options of its own, and says what is wrong with them. */
const PASS_ON = new Set(['scripts/test.mjs', 'scripts/rabbitmq4.mjs', 'scripts/node.mjs', 'scripts/bench.mjs']);

const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000, env: { PATH: process.env.PATH, ...env } });

it.each(OURS)('npm run %s -- --help says how it is used, and starts nothing', (_, file) => {
  const { status, stdout, stderr } = run([file, '--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^usage: (npm (run )?[\w:]+|node scripts)/);
});

it.each(OURS.filter(([, file]) => !PASS_ON.has(file)))('npm run %s refuses an option that it does not have', (_, file) => {
  const { status, stdout, stderr } = run([file, '--bogus']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^Unknown option '--bogus'.*\nusage: /);
});

it('covers more than a few scripts', () => expect(OURS.length).toBeGreaterThan(8));

it('a folder with a space is refused before anything is installed', () => {
  const [bringUp, progress, state, failure] = ['bring-up', 'progress', 'state', 'failure'].map(
    (name) => pathToFileURL(join(ROOT, `scripts/lib/${name}.mjs`)).href,
  );
  const folder = mkdtempSync(join(tmpdir(), 'reprise with space '));
  try {
    const program = `
      const [{ bringUp }, { Progress }, { State }, { describe }] = await Promise.all(
        ['${bringUp}', '${progress}', '${state}', '${failure}'].map((file) => import(file)));
      const wanted = { packages: 'to run', durable: false, given: {} };
      await bringUp(new State(process.env.FOLDER), new Progress(), wanted).catch((error) => console.error(describe(error)));`;
    const { stdout, stderr } = run(['--input-type=module', '-e', program], { FOLDER: folder });
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `RabbitMQ cannot run in a folder with a space in its path ("${folder}"): move the checkout, or set AMQP_URL (for tests TEST_AMQP_URL)\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('the command runs from a folder of any name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise #%20é '));
  try {
    cpSync(join(ROOT, 'cli/bin'), join(folder, 'cli/bin'), { recursive: true });
    mkdirSync(join(folder, 'cli/dist'));
    writeFileSync(join(folder, 'cli/dist/main.js'), 'console.log("it runs")');
    expect(run([join(folder, 'cli/bin/reprise.mjs')])).toMatchObject({ status: 0, stdout: 'it runs\n', stderr: '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the port of the gateway', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'reprise-ports-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What `npm start` decides first of all. */
  function decide(port: string, as?: number) {
    const [instance, state, failure] = ['instance', 'state', 'failure'].map(
      (name) => pathToFileURL(join(ROOT, `scripts/lib/${name}.mjs`)).href,
    );
    const program = `
      const [{ decide }, { State }, { describe }] = await Promise.all([import('${instance}'), import('${state}'), import('${failure}')]);
      const state = new State(process.env.FOLDER);
      ${as === undefined ? '' : `process.setegid(${as}); process.seteuid(${as});`}
      await decide(state).catch((error) => { console.error(describe(error)); process.exitCode = 1; });`;
    const { status, stderr } = run(['--input-type=module', '-e', program], { GATEWAY_PORT: port, FOLDER: folder });
    return { status, stderr };
  }

  it.each(['99999', '0', '-1', 'http', '80.5', '1e3'])('%s is refused in one line', (port) => {
    expect(decide(port)).toEqual({
      status: 1,
      stderr: `GATEWAY_PORT must be a port, a whole number between 1 and 65535 (got "${port}")\n`,
    });
  });

  it('that another program has is refused in one line', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as { port: number };
      const other = 'Choose another one: GATEWAY_PORT=<port> npm start';
      expect(decide(String(port))).toEqual({ status: 1, stderr: `port ${port}, the gateway's, is used by another program. ${other}\n` });
    } finally {
      server.close();
    }
  });

  const mayListenBelow = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) <= 80;
  (mayListenBelow ? it.skip : it)(`that is root's is refused in one line${mayListenBelow ? ': here every user may have it' : ''}`, () => {
    const nobody = process.getuid?.() === 0 ? 65_534 : undefined;
    const { status, stderr } = decide('80', nobody);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^port 80, the gateway's, (may not be used by this user: ports below 1024 are for root|is used by another program)\. .+\n$/,
    );
  });
});
