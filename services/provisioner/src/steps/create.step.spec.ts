import { ANY_RUNTIME } from '../pods/pod-driver';
import { aJob } from '../jobs/testing/job';
import { podSpec } from './create.step';

const SECRET = 'a secret of the right length';

describe('what a pod is made from', () => {
  const job = aJob({ kind: 'create' });

  it('is the same for the same job, token included', () => {
    expect(podSpec(job, SECRET)).toEqual(podSpec(job, SECRET));
    expect(podSpec(job, SECRET).token).not.toBe(podSpec(job, 'another secret of that length').token);
  });

  it('says what the role says about its runtime', () => {
    const runtime = { image: 'team/image:1', cpus: 0.5, memory_mb: 512, pids: 100, disk_mb: 1024, read_only_root: true };
    expect(podSpec({ ...job, spec: { ...job.spec!, runtime } }, SECRET).runtime).toEqual({
      image: 'team/image:1',
      cpus: 0.5,
      memoryMb: 512,
      pids: 100,
      diskMb: 1024,
      readOnlyRoot: true,
    });
  });

  it('leaves to the driver what the role does not say', () => {
    expect(podSpec(job, SECRET).runtime).toEqual(ANY_RUNTIME);
    expect(podSpec({ ...job, spec: { ...job.spec!, runtime: { cpus: 2 } } }, SECRET).runtime).toEqual({ ...ANY_RUNTIME, cpus: 2 });
  });
});
