import type { JobsRepository } from '../jobs/jobs.repository';
import type { ProvisionerConfig } from '../provisioner.config';
import { Heartbeat } from './heartbeat';
import { Lease, LeaseLost, ShuttingDown } from './lease';
import { untilAborted } from './until-aborted';

const LEASE_SECONDS = 10;
const config = { jobLeaseSeconds: LEASE_SECONDS } as ProvisionerConfig;
const jobsThat = (heartbeat: JobsRepository['heartbeat']): JobsRepository => ({ heartbeat }) as JobsRepository;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('a lease', () => {
  let heartbeat: Heartbeat;
  afterEach(() => heartbeat.stop());

  function held(jobs: JobsRepository): Lease {
    heartbeat = new Heartbeat(jobs, config);
    const lease = new Lease('job_1', 1, LEASE_SECONDS * 1_000);
    heartbeat.watch(lease);
    heartbeat.start();
    return lease;
  }

  it('is held as long as the database prolongs it', async () => {
    const lease = held(jobsThat(() => Promise.resolve([{ id: 'job_1', epoch: 1 }])));
    await jest.advanceTimersByTimeAsync(LEASE_SECONDS * 5_000);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is lost as soon as the database says that another has it', async () => {
    const lease = held(jobsThat(() => Promise.resolve([{ id: 'job_1', epoch: 2 }])));
    await jest.advanceTimersByTimeAsync((LEASE_SECONDS * 1_000) / 3 + 1);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
  });

  it('is given up no later than it ends where the database cannot be asked', async () => {
    const lease = held(jobsThat(() => new Promise(() => undefined)));
    await jest.advanceTimersByTimeAsync(LEASE_SECONDS * 1_000);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
  });

  it('that was let go while it was being prolonged is not lost', async () => {
    const lease = held(jobsThat(() => sleep(1_000).then(() => [])));
    await jest.advanceTimersByTimeAsync((LEASE_SECONDS * 1_000) / 3 + 500);
    heartbeat.forget(lease);
    await jest.advanceTimersByTimeAsync(LEASE_SECONDS * 1_000);
    expect(lease.signal.aborted).toBe(false);
  });
});

describe('work until it is aborted', () => {
  it('ends as it ends by itself', async () => {
    await expect(untilAborted(() => Promise.resolve(1), new AbortController().signal)).resolves.toBe(1);
    await expect(untilAborted(() => Promise.reject(new Error('no')), new AbortController().signal)).rejects.toThrow('no');
  });

  it('ends with the reason when it is aborted, and a later failure is nobody’s', async () => {
    const controller = new AbortController();
    const working = untilAborted(() => sleep(30).then(() => Promise.reject(new Error('late'))), controller.signal);
    controller.abort(new ShuttingDown());
    await expect(working).rejects.toBeInstanceOf(ShuttingDown);
    await jest.advanceTimersByTimeAsync(60);
  });

  it('is not begun at all once it is aborted', async () => {
    const work = jest.fn();
    await expect(untilAborted(work, AbortSignal.abort(new ShuttingDown()))).rejects.toBeInstanceOf(ShuttingDown);
    expect(work).not.toHaveBeenCalled();
  });
});
