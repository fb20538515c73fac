import { spawnSync } from 'node:child_process';
import { HEAP_GROWTH } from './heap';

/** Enough in use for the least that V8 lets the heap grow not to count. */
const FILL = 'globalThis.kept = Array.from({ length: 3_000_000 }, (_, i) => ({ i }))';

/** By what factor V8 lets the heap grow after a full collection, in its own words. */
function factorAfter(statement: string): number {
  const args = ['--expose-gc', '--trace-gc-verbose', '--eval', `${statement}; ${FILL}; gc();`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  // Before Node 24 the factor itself is behind these.
  const last = [...stdout.matchAll(/\[HeapController\] Limit: old size: (\d+) KB, new limit: (\d+) KB/g)].at(-1);
  return Number(last?.[2]) / Number(last?.[1]);
}

it('how the heap grows is told V8 in words that it knows, while the process runs', () => {
  // 1.4, and what the young generation may hold; without it 4.
  expect(factorAfter(`require('node:v8').setFlagsFromString('${HEAP_GROWTH}')`)).toBeLessThan(2);
  expect(factorAfter('')).toBeGreaterThan(3);
});
