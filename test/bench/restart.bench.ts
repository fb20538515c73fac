import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promise, useStack } from '../support';

/**
 * How long a restart with 10 MB in the workspace takes, from the request to the answer that it has ended. No test: it holds nothing to a
 * figure, since these differ from machine to machine. With the variables of the e2e tests set:
 *
 *     npx jest --selectProjects e2e --testMatch "$PWD"/test/bench/restart.bench.ts
 */
const stack = useStack();
const [WARM_UP, RUNS, MEGABYTES] = [3, 30, 10];

promise(
  `the time of ${RUNS} restarts with ${MEGABYTES} MB`,
  async () => {
    const { alice } = await stack.tenant();
    const { id } = await alice.workspace();
    for (let n = 0; n < MEGABYTES; n++) writeFileSync(join(stack.pod(id).files, `part-${n}`), randomBytes(1024 * 1024));
    const [times, phases] = [[] as number[], new Map<string, number[]>()];
    for (let n = 0; n < WARM_UP + RUNS; n++) {
      const began = performance.now();
      const operation = await alice.restart(id);
      if (n < WARM_UP) continue;
      times.push(performance.now() - began);
      for (const { name, started_at, finished_at } of operation.phases) {
        phases.set(name, [...(phases.get(name) ?? []), Date.parse(finished_at ?? '') - Date.parse(started_at)]);
      }
    }
    const parts = [...phases].map(([name, each]) => `${name} ${quantile(each, 0.5)}`).join(', ');
    process.stderr.write(`restart: p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms; p50 of its phases in ms: ${parts}\n`);
  },
  300_000,
);

function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN);
}
