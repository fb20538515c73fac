import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup } from './process-group';

const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0];

it('a group of which only a zombie is left has ended: nobody waits until it is reaped', async () => {
  // The shell becomes a program that never asks after its child, which has a group of its own.
  const careless = spawn('sh', ['-c', 'setsid sh -c "exit 0" & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const group = Number(await once(careless.stdout, 'data'));
    while (stateOf(group) !== 'Z') await sleep(5);
    expect(process.kill(-group, 0)).toBe(true);
    // Longer than a test may take.
    await endGroup(group, 600_000);
    expect(stateOf(group)).toBe('Z');
  } finally {
    careless.kill('SIGKILL');
  }
});
