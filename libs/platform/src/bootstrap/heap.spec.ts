import { spawnSync } from 'node:child_process';
import { HEAP_GROWTH } from './heap';

/** By what factor V8 lets the heap grow after a full collection, in its own words. */
function factorAfter(statement: string): string | undefined {
  const args = ['--expose-gc', '--trace-gc-verbose', '--eval', `${statement}; gc();`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  return /old size: .* new limit: .* \((.*)\)/.exec(stdout)?.[1];
}

it('how the heap grows is told V8 in words that it knows, while the process runs', () => {
  expect(factorAfter(`require('node:v8').setFlagsFromString('${HEAP_GROWTH}')`)).toBe('1.4');
  expect(factorAfter('')).not.toBe('1.4');
});
