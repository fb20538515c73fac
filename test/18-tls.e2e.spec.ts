import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { Client } from 'pg';
import { eventually, ROOT } from './support';
import { Authority } from './support/certificates';
import { ServiceProcess } from './support/service-process';
import { freePorts } from './support/settings';

const folder = mkdtempSync(join(tmpdir(), 'reprise-tls-'));
const authority = new Authority(join(folder, 'authority'), 'the right authority');
const stranger = new Authority(join(folder, 'stranger'), 'an authority that nobody has heard of');
authority.certify('IP:127.0.0.1');

/** PostgreSQL and RabbitMQ of this file's own, which take TLS with a certificate for 127.0.0.1, and no other name. */
const state = join(folder, 'state');
let servers: NodeJS.Dict<string> = {};
const PASSWORD = 'for-tests-only';

interface Ended {
  readonly code: number;
  /** Both streams of it. */
  readonly output: string;
}

async function node(script: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd: folder, env: { PATH, HOME, ...env }, maxBuffer: 1e7 };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(ROOT, script), ...args], options);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

beforeAll(async () => {
  const { code, output } = await node('scripts/infra.mjs', ['up', '--state', state, '--certificates', join(folder, 'authority')]);
  if (code !== 0) throw new Error(output);
  servers = parseEnv(readFileSync(join(state, 'env'), 'utf8'));
});
afterAll(async () => {
  await node('scripts/infra.mjs', ['down', '--state', state]);
  rmSync(folder, { recursive: true, force: true });
});

/** The database with the login of a service, or the administrator's. */
function databaseUrl({ user, host = '127.0.0.1' }: { user?: string; host?: string } = {}): string {
  const url = new URL(servers.DATABASE_URL!);
  url.hostname = host;
  if (user) [url.username, url.password] = [user, PASSWORD];
  return url.href;
}

/** The broker by TLS, with the login of a service, or the administrator's. */
function brokerUrl({ user, host = '127.0.0.1' }: { user?: string; host?: string } = {}): string {
  const url = new URL(servers.AMQP_URL!.replace(/^amqp:/, 'amqps:'));
  [url.hostname, url.port, url.pathname] = [host, servers.RABBITMQ_TLS_PORT!, user ? '/reprise' : ''];
  if (user) [url.username, url.password] = [user, PASSWORD];
  return url.href;
}

function setUp(part: 'database' | 'broker', env: Record<string, string>): Promise<Ended> {
  const names = ['GATEWAY', 'LIFECYCLE', 'PROVISIONER', 'BILLING', 'DEADLETTERS', 'PUBLISHER'];
  const passwords = Object.fromEntries(
    names.flatMap((name) => [`${name}_DB_PASSWORD`, `${name}_AMQP_PASSWORD`].map((key) => [key, PASSWORD])),
  );
  return node('cli/dist/main.js', ['setup', part], { ...passwords, RABBITMQ_MANAGEMENT_URL: servers.RABBITMQ_MANAGEMENT_URL!, ...env });
}

const migrate = (env: Record<string, string>) => node('services/billing/dist/migrate.js', [], env);

const BILLING = 'services/billing/dist/main.js';

async function ports(): Promise<Record<string, string>> {
  const [http, metrics] = await freePorts(2);
  return { HTTP_PORT: String(http), METRICS_PORT: String(metrics) };
}

async function billing(settings: Record<string, string>): Promise<ServiceProcess> {
  const env: Record<string, string> = { PATH: process.env.PATH ?? '', ...(await ports()), ...settings };
  const url = `http://127.0.0.1:${env.HTTP_PORT}`;
  const metricsUrl = `http://127.0.0.1:${env.METRICS_PORT}/metrics`;
  return new ServiceProcess({
    ...{ name: 'billing', script: join(ROOT, BILLING), cwd: folder, logFile: join(folder, 'billing.log') },
    ...{ env, url, metricsUrl },
  });
}

/** What of the output says that something failed. */
function complaints(output: string): string[] {
  return output.split('\n').filter((line) => line.includes('certificate'));
}

const USER = { user: 'reprise_billing' };
const right = () => ({ DATABASE_CA_FILE: authority.file, AMQP_CA_FILE: authority.file });

describe('servers whose certificates come from the right authority', () => {
  it('are set up, migrated and used by a service, and nothing goes in plain', async () => {
    expect(await setUp('database', { ...right(), DATABASE_URL: databaseUrl() })).toMatchObject({ code: 0 });
    expect(await setUp('broker', { ...right(), AMQP_URL: brokerUrl() })).toMatchObject({ code: 0 });
    expect(await migrate({ ...right(), DATABASE_URL: databaseUrl(USER) })).toMatchObject({ code: 0 });
    const service = await billing({ ...right(), DATABASE_URL: databaseUrl(USER), AMQP_URL: brokerUrl(USER) });
    await service.start();
    try {
      const admin = new Client({ connectionString: databaseUrl() });
      await admin.connect();
      const { rows } = await admin.query<{ ssl: boolean }>(
        "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'reprise_billing'",
      );
      await admin.end();
      expect(new Set(rows.map(({ ssl }) => ssl))).toEqual(new Set([true]));
      // The management API's figures are some seconds old.
      await eventually(async () => expect(await brokerConnections('reprise_billing')).toEqual([true]), { within: 30_000 });
    } finally {
      expect(await service.stop()).toBe(0);
    }
  });
});

/** Whether each connection of a user is encrypted. */
async function brokerConnections(user: string): Promise<boolean[]> {
  const { origin, username, password } = new URL(servers.RABBITMQ_MANAGEMENT_URL!);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await fetch(`${origin}/api/connections`, { headers: { authorization } });
  const connections = (await answer.json()) as { user: string; ssl: boolean }[];
  return connections.filter((connection) => connection.user === user).map(({ ssl }) => ssl);
}

const FAULTS = [
  [
    'comes from another authority',
    () => stranger.file,
    '127.0.0.1',
    /is not from an authority that \w+_CA_FILE names: (self-signed|unable)/,
  ],
  ['is for another host', () => authority.file, 'localhost', /is for another host: .*localhost/],
] as const;

describe.each(FAULTS)('a server whose certificate %s', (_, ca, host, reason) => {
  it('is no database: one line says why, and nothing was sent to it', async () => {
    const env = { DATABASE_URL: databaseUrl({ ...USER, host }), DATABASE_CA_FILE: ca() };
    const { code, output } = await migrate(env);
    expect(code).toBe(1);
    expect(complaints(output)).toEqual([expect.stringMatching(reason)]);
    const setup = await setUp('database', { ...env, DATABASE_URL: databaseUrl({ host }) });
    expect(setup.code).toBe(3);
    expect(complaints(setup.output)).toEqual([expect.stringMatching(reason)]);
  });

  it('keeps a service from starting where it is the database', async () => {
    const env = { ...right(), DATABASE_URL: databaseUrl({ ...USER, host }), DATABASE_CA_FILE: ca(), AMQP_URL: brokerUrl(USER) };
    const { code, output } = await node(BILLING, [], { ...(await ports()), ...env });
    expect(code).toBe(1);
    const fatal = output.split('\n').filter((line) => line.includes('"level":"fatal"'));
    expect(fatal).toEqual([expect.stringMatching(reason)]);
  });

  it('is no broker: the command says why', async () => {
    const { code, output } = await setUp('broker', { AMQP_URL: brokerUrl({ host }), AMQP_CA_FILE: ca() });
    expect(code).toBe(3);
    expect(complaints(output)).toEqual([expect.stringMatching(reason)]);
  });

  it('keeps a service from being ready where it is the broker', async () => {
    const env = { ...right(), DATABASE_URL: databaseUrl(USER), AMQP_URL: brokerUrl({ ...USER, host }), AMQP_CA_FILE: ca() };
    const child = spawn(process.execPath, [join(ROOT, BILLING)], { cwd: folder, env: { ...(await ports()), ...env } });
    let log = '';
    child.stdout.on('data', (text) => (log += String(text)));
    await eventually(() => expect(log).toMatch(reason), { within: 30_000 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(log).not.toContain('Connected to the broker');
  });
});

it('a service that was told of an authority does not speak to the broker in plain', async () => {
  const plain = new URL(servers.AMQP_URL!);
  [plain.username, plain.password, plain.pathname] = [USER.user, PASSWORD, '/reprise'];
  const env = { ...right(), DATABASE_URL: databaseUrl(USER), AMQP_URL: plain.href };
  const { code, output } = await node(BILLING, [], { ...(await ports()), ...env });
  expect(code).toBe(1);
  expect(output).toMatch(/AMQP_CA_FILE is set, but AMQP_URL does not begin with amqps/);
});
