import { ROOT, SERVICES, serviceEnvironments } from './support/settings';

const SECRETS = { POD_TOKEN_SECRET: 'of pods, in the file', SECRETS_KEY: 'of secrets, in the file' };
const VALUES: Record<string, string> = {
  ...SECRETS,
  ...Object.fromEntries(SERVICES.flatMap((name, n) => portsOf(name, n))),
  AMQP_URL: 'amqp://one:password@127.0.0.1:5672/all',
  AMQP_USERS: 'shared',
  AMQP_VHOST: 'all',
  DATABASE_URL: 'postgresql://one:password@127.0.0.1/all',
  DATABASE_ROLES: 'shared',
  GATEWAY_URL: 'http://127.0.0.1:8080',
  JWT_PUBLIC_KEY_FILE: '/state/key.pem',
  JWT_ISSUER: 'here',
  JWT_AUDIENCE: 'reprise',
};

function portsOf(name: string, n: number): [string, string][] {
  const of = name.toUpperCase();
  return [
    [`${of}_PORT`, String(8_000 + n)],
    [`${of}_METRICS_PORT`, String(9_000 + n)],
  ];
}

const environments = (more: Record<string, string>, inherited: Record<string, string> = {}) =>
  serviceEnvironments({ ...VALUES, ...more }, '/state', inherited);

it('passes the settings of a service on from `.reprise/env`, to that service alone', async () => {
  const given = { SNAPSHOT_ORPHAN_HOURS: '48', RATE_LIMIT_PER_MINUTE: '7', SECRETS_KEY_PREVIOUS: 'x'.repeat(40), LOG_LEVEL: 'warn' };
  const { gateway, lifecycle, provisioner } = await environments(given);
  expect([gateway.RATE_LIMIT_PER_MINUTE, provisioner.RATE_LIMIT_PER_MINUTE]).toEqual(['7', undefined]);
  expect([provisioner.SNAPSHOT_ORPHAN_HOURS, lifecycle.SNAPSHOT_ORPHAN_HOURS]).toEqual(['48', undefined]);
  expect([provisioner.SECRETS_KEY_PREVIOUS, lifecycle.SECRETS_KEY_PREVIOUS]).toEqual(['x'.repeat(40), undefined]);
  expect([gateway.LOG_LEVEL, lifecycle.LOG_LEVEL, provisioner.LOG_LEVEL]).toEqual(['warn', 'warn', 'warn']);
});

it('lets the environment go first', async () => {
  const { provisioner } = await environments({ SNAPSHOTS_KEPT: '5', SNAPSHOT_MAX_MB: '100' }, { SNAPSHOTS_KEPT: '9' });
  expect([provisioner.SNAPSHOTS_KEPT, provisioner.SNAPSHOT_MAX_MB]).toEqual(['9', '100']);
});

it('decides where everything is by itself', async () => {
  const given = {
    HTTP_PORT: '1',
    METRICS_PORT: '2',
    PODS_DIR: '/elsewhere',
    POD_DRIVER: 'docker',
    AGENT_PATH: '/other.js',
    HTTP_HOST: '0.0.0.0',
  };
  const { provisioner } = await environments(given);
  expect(provisioner).toMatchObject({
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '8002',
    METRICS_PORT: '9002',
    PODS_DIR: '/state/pods',
    POD_DRIVER: 'process',
    AGENT_PATH: `${ROOT}/runtime/agent/dist/agent.js`,
  });
});

it('adds to the hidden paths and to the organizations of operators, and takes a secret from a file', async () => {
  const { gateway, provisioner } = await environments({ POD_HIDDEN_PATHS: '/srv', OPERATOR_ORGS: 'ours', SECRETS_KEY_FILE: '/run/key' });
  expect(provisioner.POD_HIDDEN_PATHS).toBe('/state,/srv');
  expect(gateway.OPERATOR_ORGS).toBe('reprise,ours');
  for (const env of [gateway, provisioner]) expect([env.SECRETS_KEY_FILE, env.SECRETS_KEY]).toEqual(['/run/key', undefined]);
});
