import { ANY_RUNTIME } from '../pods/pod-driver';
import { PodKeys } from '../pods/pod-keys';
import { aJob } from '../jobs/testing/job';
import { podSpec } from './create.step';

const KEYS = new PodKeys('a secret of the right length');

describe('what a pod is made from', () => {
  const job = aJob({ kind: 'create' });

  it('is the same for the same job, token included', () => {
    expect(podSpec(job, KEYS)).toEqual(podSpec(job, KEYS));
    expect(podSpec(job, KEYS).token).not.toBe(podSpec(job, new PodKeys('another secret of that length')).token);
  });

  it('says what the role says about its runtime', () => {
    const runtime = { image: 'team/image:1', cpus: 0.5, memory_mb: 512, pids: 100, disk_mb: 1024, read_only_root: true };
    expect(podSpec({ ...job, spec: { ...job.spec!, runtime } }, KEYS).runtime).toEqual({
      image: 'team/image:1',
      cpus: 0.5,
      memoryMb: 512,
      pids: 100,
      diskMb: 1024,
      readOnlyRoot: true,
    });
  });

  it('leaves to the driver what the role does not say', () => {
    expect(podSpec(job, KEYS).runtime).toEqual(ANY_RUNTIME);
    expect(podSpec({ ...job, spec: { ...job.spec!, runtime: { cpus: 2 } } }, KEYS).runtime).toEqual({ ...ANY_RUNTIME, cpus: 2 });
  });
});
