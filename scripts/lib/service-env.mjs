// @ts-check
import { join } from 'node:path';
import { SERVICES } from './service-names.mjs';
import { givenSettings } from './service-settings.mjs';

export { SERVICES };
/** @typedef {import('./service-names.mjs').ServiceName} ServiceName */

/** The services with a schema of their own. */
export const WITH_DATABASE = /** @type {const} */ (['lifecycle', 'provisioner', 'billing', 'deadletters']);
/** The users of the broker; `publisher` is for an internal service that sends commands. */
export const BROKER_USERS = /** @type {const} */ ([...SERVICES, 'publisher']);

/** @param {string} name */
export const portVariable = (name) => `${name.toUpperCase()}_PORT`;

/** @param {string} name */
export const metricsPortVariable = (name) => `${name.toUpperCase()}_METRICS_PORT`;

/** Where traces go and which; not OTEL_SERVICE_NAME, which would give all services one name. */
const TRACING = ['ENDPOINT', 'TRACES_ENDPOINT', 'PROTOCOL', 'HEADERS', 'TIMEOUT']
  .map((name) => `OTEL_EXPORTER_OTLP_${name}`)
  .concat('OTEL_BSP_SCHEDULE_DELAY', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG');
/** Passed on where set; nothing else of our environment is a service's affair. */
const INHERITED = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'USER',
  'LOG_LEVEL',
  'FORCE_COLOR',
  'NODE_EXTRA_CA_CERTS',
  'DATABASE_CA_FILE',
  'AMQP_CA_FILE',
  ...TRACING,
];

/**
 * On a machine of 4 GiB or more V8 lets a young generation grow to 48 MiB, and leaves it so for long: with 12 a service takes some 30 MiB less once
 * it has worked (docs/adr/0028-small-heaps.md). The images say the same (Dockerfile).
 */
const NODE_OPTIONS = '--max-semi-space-size=4';

/**
 * The environment of a service: computed from what stands in an instance's `env` file and in ours, and nothing more than that service needs.
 * @param {ServiceName} name
 * @param {{ values: Record<string, string | undefined>, stateDir: string, root: string, inherited?: NodeJS.ProcessEnv, logFormat?: 'pretty' | 'json' }} from
 * @returns {Record<string, string>}
 */
export function serviceEnv(name, { values, stateDir, root, inherited = process.env, logFormat = 'json' }) {
  const value = reader(values, stateDir);
  const given = givenSettings(name, root, [inherited, values]);
  /** @type {Record<string, string>} */
  const env = {
    ...common(inherited, logFormat),
    NODE_OPTIONS,
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: value(portVariable(name)),
    METRICS_PORT: value(metricsPortVariable(name)),
    AMQP_URL: brokerUrl(name, value, values),
    AMQP_USERS: values.AMQP_USERS === 'shared' ? 'shared' : 'per-service',
    // The login with which the reprise command speaks to this instance.
    AMQP_OPERATORS: decodeURIComponent(new URL(value('AMQP_URL')).username) || 'guest',
    ...(name === 'gateway' ? {} : { DATABASE_URL: databaseUrl(name, value, values) }),
    ...own(name, value, { values, stateDir, root }),
  };
  // Added to what is ours, and never in its place: the state of this instance is hidden, and its own commands are an operator's.
  for (const list of ['POD_HIDDEN_PATHS', 'OPERATOR_ORGS']) if (env[list] && given[list]) given[list] = `${env[list]},${given[list]}`;
  // A secret in a file takes the place of one in the environment.
  const inFiles = new Set(Object.keys(given).flatMap((key) => (key.endsWith('_FILE') ? [key.slice(0, -'_FILE'.length)] : [])));
  return Object.fromEntries(Object.entries({ ...env, ...given }).filter(([key]) => !inFiles.has(key)));
}

/**
 * The environment of a service's migrations: its database and nothing else, since the broker may not be there yet.
 * @param {typeof WITH_DATABASE[number]} name
 * @param {{ values: Record<string, string | undefined>, stateDir: string }} from
 * @returns {Record<string, string>}
 */
export function migrationEnv(name, { values, stateDir }) {
  return { ...common(process.env, 'pretty'), DATABASE_URL: databaseUrl(name, reader(values, stateDir), values) };
}

/** @param {NodeJS.ProcessEnv} inherited @param {'pretty' | 'json'} logFormat @returns {Record<string, string>} */
function common(inherited, logFormat) {
  return {
    ...Object.fromEntries(INHERITED.flatMap((key) => (inherited[key] === undefined ? [] : [[key, inherited[key]]]))),
    NODE_ENV: 'production',
    LOG_FORMAT: logFormat,
  };
}

/** @param {Record<string, string | undefined>} values @param {string} stateDir @returns {(key: string) => string} */
function reader(values, stateDir) {
  return (key) => {
    const found = values[key];
    if (!found) throw new Error(`${key} is not in ${join(stateDir, 'env')}`);
    return found;
  };
}

/** @param {ServiceName} name @param {(key: string) => string} value @param {{ values: Record<string, string | undefined>, stateDir: string, root: string }} place @returns {Record<string, string>} */
function own(name, value, { values, stateDir, root }) {
  switch (name) {
    case 'gateway':
      return {
        ...Object.fromEntries(
          ['JWT_PUBLIC_KEY_FILE', 'JWT_ISSUER', 'JWT_AUDIENCE', 'POD_TOKEN_SECRET', 'SECRETS_KEY'].map((key) => [key, value(key)]),
        ),
        // The organization of the tokens that `reprise dead` makes for itself.
        OPERATOR_ORGS: 'reprise',
      };
    case 'provisioner':
      return {
        POD_TOKEN_SECRET: value('POD_TOKEN_SECRET'),
        SECRETS_KEY: value('SECRETS_KEY'),
        POD_DRIVER: 'process',
        PODS_DIR: join(stateDir, 'pods'),
        // Passwords, keys, logs, the database: all that an instance keeps.
        POD_HIDDEN_PATHS: stateDir,
        SNAPSHOT_STORE: 'files',
        SNAPSHOTS_DIR: join(stateDir, 'snapshots'),
        GATEWAY_URL: value('GATEWAY_URL'),
        AGENT_PATH: join(root, 'runtime', 'agent', 'dist', 'agent.js'),
      };
    case 'lifecycle':
      // Where all share one login the broker cannot tell the gateway from an internal publisher; see docs/adr/0013.
      return { GATEWAY_AMQP_USER: decodeURIComponent(new URL(brokerUrl('gateway', value, values)).username) };
    default:
      return {};
  }
}

/** @param {string} name @param {(key: string) => string} value @param {Record<string, string | undefined>} values */
export function brokerUrl(name, value, values) {
  if (values.AMQP_USERS === 'shared') return value('AMQP_URL');
  const url = new URL(value('AMQP_URL'));
  url.username = `reprise_${name}`;
  url.password = value(`${name.toUpperCase()}_AMQP_PASSWORD`);
  url.pathname = `/${encodeURIComponent(value('AMQP_VHOST'))}`;
  return url.href;
}

/** @param {string} name @param {(key: string) => string} value @param {Record<string, string | undefined>} values */
function databaseUrl(name, value, values) {
  if (values.DATABASE_ROLES === 'shared') return value('DATABASE_URL');
  const url = new URL(value('DATABASE_URL'));
  url.username = `reprise_${name}`;
  url.password = value(`${name.toUpperCase()}_DB_PASSWORD`);
  return url.href;
}
