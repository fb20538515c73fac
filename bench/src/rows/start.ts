import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Bench, Row } from '../bench';
import { ROOT } from '../ground/launcher';
import { Rest } from '../ground/rest';
import { lineOfFigures } from '../harness/line';

const LIMIT_MS = 600_000;

export const start: Row = {
  name: 'start',
  about: 'from a fresh clone to the first 202, downloads and all; and the same once more, with all there',
  async measure(bench) {
    // The services of the benchmark would only be in the way.
    await bench.fleet.stop();
    // One where nothing is said: a fresh clone takes a minute and more.
    const rounds = bench.options.rounds ?? 1;
    const [fresh, warm]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      await inFreshClone(bench, async (checkout, cloned) => {
        fresh.push(cloned + (await seconds(() => toFirstAccept(checkout, bench))));
        await npm('stop', checkout, bench);
        warm.push(await seconds(() => toFirstAccept(checkout, bench)));
      });
    }
    const note = 'packages that npm has in its cache are not downloaded again';
    return [
      lineOfFigures({ row: 'start', what: 'fresh clone to the first 202', unit: 's', goal: { at: 'most', value: 90 }, note }, fresh),
      lineOfFigures({ row: 'start', what: 'warm start to the first 202', unit: 's', goal: { at: 'most', value: 12 } }, warm),
    ];
  },
};

/** @param work is told where the clone is and how many seconds it took */
async function inFreshClone(bench: Bench, work: (checkout: string, cloned: number) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-start-'));
  const checkout = join(folder, 'reprise');
  try {
    await work(checkout, await seconds(() => run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, checkout], folder, bench)));
  } finally {
    await end(checkout, bench);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** As a person does: start it, take a token, make a workspace, restart it. */
async function toFirstAccept(checkout: string, bench: Bench): Promise<void> {
  await npm('start', checkout, bench, '--', '--detach');
  const scopes = 'workspace:write,tasks:write,workspace:read';
  const { stdout } = await run('npx', ['reprise', 'token', '--org', 'acme', '--sub', 'alice', '--permissions', scopes], checkout, bench);
  const url = /^GATEWAY_URL=(.*)$/m.exec(readFileSync(join(checkout, '.reprise/env'), 'utf8'))?.[1] ?? '';
  const rest = new Rest(url, stdout.trim());
  await rest.accepted('restart', await rest.create('demo'));
}

async function end(checkout: string, bench: Bench): Promise<void> {
  if (!existsSync(join(checkout, 'package.json'))) return;
  const calm = { ...bench, turns: { ...bench.turns, signal: new AbortController().signal } };
  await npm('stop', checkout, calm, '--', '--pods', '--without-saving').catch(() => undefined);
}

function npm(verb: string, checkout: string, bench: Bench, ...args: string[]): Promise<unknown> {
  return run('npm', [verb, ...args], checkout, bench);
}

/** With the environment of a shell, and nothing of the benchmark's own. */
function run(command: string, args: string[], cwd: string, { turns: { signal } }: Bench): Promise<{ stdout: string }> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_|^(INIT_CWD|NODE)$/.test(key)));
  return promisify(execFile)(command, args, { cwd, env, signal, timeout: LIMIT_MS, maxBuffer: 1 << 26 });
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}
