// @ts-check
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Failure } from './failure.mjs';

/** What `npm start` decides itself: where everything is on this machine, and what is told to services alone. */
export const FIXED = new Set([
  'HTTP_HOST',
  'HTTP_PORT',
  'METRICS_HOST',
  'METRICS_PORT',
  'AMQP_USERS',
  'AMQP_OPERATORS',
  'GATEWAY_AMQP_USER',
  'POD_DRIVER',
  'PODS_DIR',
  'AGENT_PATH',
  'GATEWAY_URL',
  'LOG_FORMAT',
  'OTEL_SERVICE_NAME',
]);
/** Of these each service gets one of its own, made from what is given. */
const MADE = new Set(['DATABASE_URL', 'AMQP_URL']);

/**
 * A service's settings, as its config class describes them.
 * @param {string} service
 * @param {string} root the checkout, where everything is built
 * @param {(path: string) => Record<string, any>} [load] a `require`, because services are CommonJS
 * @returns {any[]}
 */
export function settingsOf(service, root, load = createRequire(join(root, 'package.json'))) {
  load(resolve(root, 'node_modules/reflect-metadata'));
  const { describeConfig } = load(resolve(root, 'libs/platform/dist/index.js'));
  const file = `services/${service}/dist/${service}.config.js`;
  const className = `${service.charAt(0).toUpperCase()}${service.slice(1)}Config`;
  if (!existsSync(resolve(root, file))) throw new Failure(`${file} is missing: run "npm run build" first.`);
  const Class = load(resolve(root, file))[className];
  if (Class === undefined) throw new Failure(`${file} exports no ${className}.`);
  return describeConfig(Class);
}

/**
 * Of what is given those that are settings of this service and not ours to decide. An empty one counts as not given.
 * @param {string} service
 * @param {string} root
 * @param {readonly Readonly<Record<string, string | undefined>>[]} sources the first that has one decides
 * @returns {Record<string, string>}
 */
export function givenSettings(service, root, sources) {
  const names = settingsOf(service, root).flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = FIXED.has(name) || MADE.has(name) ? undefined : sources.map((source) => source[name]).find(Boolean);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** What is set and will be ignored. @param {NodeJS.ProcessEnv} environment @returns {string[]} */
export function ignoredSettings(environment) {
  return [...FIXED].filter((name) => environment[name]);
}
