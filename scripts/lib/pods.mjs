// @ts-check
import { readFileSync, readdirSync } from 'node:fs';
import { identify, terminate } from './processes.mjs';

/** @typedef {import('./processes.mjs').Identity} Identity */
/** @typedef {import('./state.mjs').State} State */

/**
 * The agents that run for an instance: told by the address file in their environment, which stands in the folder of its pods. It is
 * how the provisioner finds them, too.
 * @param {State} state
 */
export function podsOf(state) {
  const folder = `${state.path('pods')}/`;
  return withVariable('REPRISE_ADDRESS_FILE', (file) => file.startsWith(folder));
}

/** End the agents of an instance, and whatever their tasks have started. @param {State} state @returns {Promise<number>} how many there were */
export async function removePods(state) {
  const agents = podsOf(state);
  const names = new Set(agents.map(({ env }) => env.get('REPRISE_POD')));
  await Promise.all(agents.map(({ who }) => terminate(who, { graceMs: 5_000 })));
  const left = withVariable('REPRISE_POD', (name) => names.has(name));
  await Promise.all(left.map(({ who }) => terminate(who, { signal: 'SIGKILL' })));
  return agents.length;
}

/** @param {string} name @param {(value: string) => boolean} matches @returns {{ who: Identity, env: Map<string, string> }[]} */
function withVariable(name, matches) {
  // Pods as processes need /proc, and so exist on Linux alone.
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const env = new Map(environmentOf(pid).split('\0').map(pair));
      const who = identify(Number(pid));
      return who && matches(env.get(name) ?? '') ? [{ who, env }] : [];
    } catch {
      return []; // gone meanwhile, or another user's
    }
  });
}

/** Where a process's first thread has ended, another one has it. @param {string} pid @returns {string} */
function environmentOf(pid) {
  for (const path of [`/proc/${pid}`, ...readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`)]) {
    try {
      const text = readFileSync(`${path}/environ`, 'utf8');
      if (text !== '') return text;
    } catch {
      // This thread has ended.
    }
  }
  return '';
}

/** @param {string} text @returns {[string, string]} */
function pair(text) {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}
