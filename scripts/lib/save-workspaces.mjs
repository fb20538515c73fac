// @ts-check
import { createInterface } from 'node:readline/promises';
import pg from 'pg';
import { describe } from './failure.mjs';
import { reprise } from './instance.mjs';
import { migrationEnv } from './service-env.mjs';

/** @typedef {import('./state.mjs').State} State */
/** @typedef {{ id: string, org: string }} Workspace */

const PERMISSIONS = 'workspace:write,workspace:read';
/** Longer than an operation may take. */
const LIMIT_MS = 660_000;
const AT_ONCE = 4;

/**
 * Stop every workspace that has a pod, as its own tenant would: each is saved before its pod goes. Needs a Reprise that runs.
 * @param {State} state
 * @returns {Promise<{ saved: number, failed: string[] }>} `failed`: a line for each that was not saved
 */
export async function saveWorkspaces(state) {
  const waiting = await runningWorkspaces(state);
  /** @type {string[]} */
  const failed = [];
  let saved = 0;
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const why = await stopWorkspace(state, next).catch((error) => describe(error));
      if (why === null) saved += 1;
      else failed.push(`${next.id}: ${why}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { saved, failed };
}

/** Whether the person at the terminal agrees; false where there is none. @param {string} question */
export async function isAgreed(question) {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** @param {State} state @returns {Promise<Workspace[]>} */
async function runningWorkspaces(state) {
  const { DATABASE_URL: url } = migrationEnv('lifecycle', { values: state.values, stateDir: state.dir });
  const client = new pg.Client({ connectionString: url, options: '-c search_path=lifecycle' });
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT id, org_id AS org FROM workspaces WHERE status IN ('idle', 'busy') ORDER BY id`);
    return rows;
  } finally {
    await client.end();
  }
}

/** @param {State} state @param {Workspace} workspace @returns {Promise<string | null>} why it was not saved */
async function stopWorkspace(state, { id, org }) {
  const token = await reprise(state, ['token', '--org', org, '--sub', 'npm-stop', '--permissions', PERMISSIONS]);
  const ask = async (/** @type {string} */ method, /** @type {string} */ path) => {
    const answer = await fetch(`${state.get('GATEWAY_URL')}/v1${path}`, { method, headers: { authorization: `Bearer ${token}` } });
    return /** @type {any} */ (await answer.json());
  };
  const { operation_id: operation, error } = await ask('POST', `/workspaces/${id}/stop`);
  if (!operation) return error?.message ?? 'it cannot be stopped';
  for (const until = Date.now() + LIMIT_MS; Date.now() < until;) {
    const { status, error: why } = await ask('GET', `/operations/${operation}?wait=30`);
    if (status === 'succeeded') return null;
    if (status === 'failed') return why?.message ?? 'its stop failed';
  }
  return 'its stop did not end';
}
