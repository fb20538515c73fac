import { spawnSync } from 'node:child_process';
import { HEAP_GROWTH } from './heap';

it('how the heap grows is told V8 in words that it knows', () => {
  const { status, stderr } = spawnSync(process.execPath, [HEAP_GROWTH, '--eval', ''], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
