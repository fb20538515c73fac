// @ts-check
import { join } from 'node:path';
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
  return SERVICES.map((name) => {
    const label = name.padEnd(WIDTH);
    const prefix = colours ? `\x1b[${COLOURS[name]}m${label}\x1b[0m │ ` : `${label} | `;
    // JSON is for machines: a prefix would spoil it, and each line names its service.
    const shown = logFormat === 'json' ? '' : prefix;
    return new Supervised({
      name,
      script: join(ROOT, 'services', name, 'dist', 'main.js'),
      args: [mark(state)],
      env: { ...envOf(state, name, logFormat), ...(colours ? { FORCE_COLOR: '1' } : {}) },
      logFile: state.path('logs', `${name}.log`),
      readyUrl: `http://127.0.0.1:${state.get(portVariable(name))}/health/ready`,
      onLine: (line) => print?.(`${shown}${line}`),
      onNews,
    });
  });
}

/** End the services that a supervisor left behind when it was killed. @param {State} state @returns {Promise<number>} how many there were */
export async function stopStrayServices(state) {
  if (!state.values.INSTANCE_ID) return 0;
  const argument = mark(state);
  const strays = findProcesses((args) => args.includes(argument));
  await Promise.all(strays.map((stray) => terminate(stray)));
  return strays.length;
}
