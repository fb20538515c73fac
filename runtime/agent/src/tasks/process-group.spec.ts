import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup } from './process-group';

const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0];

const programOf = (pid: number) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim();

it('a group of which only a zombie is left has ended: nobody waits until it is reaped', async () => {
  // The shell becomes a program that never asks after its child, which has a group of its own. Until it has, it would: so the child waits for a line.
  const script = 'exec 3<&0; setsid sh -c "read line <&3" & echo $!; exec sleep 600';
  const careless = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const group = Number(await once(careless.stdout, 'data'));
    while (programOf(careless.pid!) !== 'sleep') await sleep(5);
    careless.stdin.write('go\n');
    while (stateOf(group) !== 'Z') await sleep(5);
    expect(process.kill(-group, 0)).toBe(true);
    // Longer than a test may take.
    await endGroup(group, 600_000);
    expect(stateOf(group)).toBe('Z');
  } finally {
    careless.kill('SIGKILL');
  }
});
