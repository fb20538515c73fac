// @ts-check
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { draftIn } from './drafts.mjs';
import { envOf } from './instance.mjs';
import { findProcesses, terminate } from './processes.mjs';
import { SERVICES, portVariable } from './service-env.mjs';
import { ROOT } from './state.mjs';
import { Supervised } from './supervised.mjs';

/** @typedef {import('./state.mjs').State} State */

const COLOURS = { gateway: 36, lifecycle: 35, provisioner: 33, billing: 32, deadletters: 31 };
const WIDTH = Math.max(...SERVICES.map((name) => name.length));

/** The argument by which a service of this instance is told from all other processes. @param {State} state */
const mark = (state) => `--instance=${state.get('INSTANCE_ID')}`;

/**
 * @typedef {object} Output
 * @property {'pretty' | 'json'} logFormat
 * @property {boolean} colours
 * @property {((text: string) => void) | null} print where the services' lines are shown, besides their log files
 * @property {(text: string) => void} onNews
 */

/** Start the services. @param {State} state @param {Output} output @returns {Supervised[]} in the order in which to stop them */
export function startServices(state, { logFormat, colours, print, onNews }) {
  /** @type {Map<string, Supervised>} */
  const started = new Map();
  const record = () => writeRecord(state, started);
  const services = SERVICES.map((name) => {
    const label = name.padEnd(WIDTH);
    const prefix = colours ? `\x1b[${COLOURS[name]}m${label}\x1b[0m │ ` : `${label} | `;
    // JSON is for machines: a prefix would spoil it, and each line names its service.
    const shown = logFormat === 'json' ? '' : prefix;
    const service = new Supervised({
      name,
      script: join(ROOT, 'services', name, 'dist', 'main.js'),
      args: [mark(state)],
      env: { ...envOf(state, name, logFormat), ...(colours ? { FORCE_COLOR: '1' } : {}) },
      logFile: state.path('logs', `${name}.log`),
      readyUrl: `http://127.0.0.1:${state.get(portVariable(name))}/health/ready`,
      onLine: (line) => print?.(`${shown}${line}`),
      onNews,
      onChange: record,
    });
    started.set(name, service);
    return service;
  });
  record();
  return services;
}

/**
 * Process ids and restarts, for `reprise doctor` and `reprise status`. Whole or not at all: they may look at any moment.
 * @param {State} state @param {Map<string, Supervised>} services
 */
function writeRecord(state, services) {
  const record = Object.fromEntries([...services].map(([name, service]) => [name, service.record]));
  const draft = draftIn(state.dir, 'services.json');
  writeFileSync(draft, JSON.stringify(record, null, 2), { mode: 0o600 });
  renameSync(draft, state.path('services.json'));
}

/** End the services that a supervisor left behind when it was killed. @param {State} state @returns {Promise<number>} how many there were */
export async function stopStrayServices(state) {
  if (!state.values.INSTANCE_ID) return 0;
  const argument = mark(state);
  const strays = findProcesses((args) => args.includes(argument));
  await Promise.all(strays.map((stray) => terminate(stray)));
  return strays.length;
}
