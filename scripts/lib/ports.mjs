// @ts-check
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { Failure } from './failure.mjs';

// Below the kernel's ephemeral range (from 32768 on): a port in it may be taken by any outgoing connection while we are down.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Whether nothing listens on a port of loopback. @param {number} port @returns {Promise<boolean>} */
export async function isFree(port) {
  return (await obstacleTo(port)) === null;
}

/** What keeps us from listening on a port of loopback, as Node calls it, such as EADDRINUSE; null for nothing. @param {number} port @returns {Promise<string | null>} */
export function obstacleTo(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code ?? 'unknown'));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** @param {string} name @param {string} text @throws Failure where that is no port */
export function portOf(name, text) {
  const port = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && port <= 65_535) return port;
  throw new Failure(`${name} must be a port, a whole number between 1 and 65535 (got "${text}")`);
}

/** Chosen in this process, perhaps not written down yet. @type {Set<number>} */
const chosen = new Set();

/** A free port, drawn at random so that checkouts side by side hardly ever choose the same. @param {Set<number>} kept */
async function pickPort(kept) {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (kept.has(port) || chosen.has(port)) continue;
    chosen.add(port);
    if (await isFree(port)) return port;
  }
  throw new Failure(`no free port was found between ${LOWEST} and ${HIGHEST}`);
}

/**
 * Keep a port under each name in the state. One that is already kept stays, unless a stranger sits on it.
 * @param {import('./state.mjs').State} state
 * @param {string[]} names
 * @param {{ ours?: boolean }} [options] ours: the servers run already, so their ports are busy by right
 */
export async function keepPorts(state, names, { ours = false } = {}) {
  const others = new Set(
    Object.entries(state.values)
      .filter(([key]) => key.endsWith('_PORT'))
      .map(([, value]) => Number(value)),
  );
  for (const name of names) {
    const kept = state.values[name] ? portOf(name, state.values[name]) : 0;
    if (kept && (ours || (await isFree(kept)))) continue;
    state.values[name] = String(await pickPort(others));
  }
}
