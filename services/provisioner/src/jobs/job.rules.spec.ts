import { STEPS, type Step } from '@reprise/contracts';
import type { Cleanup, Job, StepFailure } from './job';
import { afterFailure, bar, planOf, type RetryLimits, stepAfter, stopAt } from './job.rules';
import { aJob } from './testing/job';

const SNAPSHOT = 'snap_01k9zv6m3se4ht8v5y2q7n0xad';
const SAVE: Step[] = ['quiesce', 'snapshot', 'verify', 'teardown'];
const SALVAGE: Step[] = ['salvage', 'snapshot', 'verify', 'teardown'];
const NOW = new Date('2026-01-01T00:01:00Z');
const LIMITS: RetryLimits = { attempts: 3, firstDelayMs: 100, longestDelayMs: 1_000 };

const PLANS: [string, Partial<Job>, Step[]][] = [
  ['replace', { kind: 'replace' }, [...SAVE, 'create', 'restore', 'ready']],
  ['remove', { kind: 'remove' }, SAVE],
  ['remove without a snapshot', { kind: 'remove', withoutSnapshot: true }, ['teardown']],
  ['create without a snapshot', { kind: 'create' }, ['create', 'ready']],
  ['create with a snapshot', { kind: 'create', snapshotId: SNAPSHOT }, ['create', 'restore', 'ready']],
  ['create over an older pod that lives', { kind: 'create', podGeneration: 1 }, [...SAVE, 'create', 'restore', 'ready']],
  ['create over a lost pod', { kind: 'create', podGeneration: 1, salvage: true }, [...SALVAGE, 'create', 'restore', 'ready']],
];

/** What is owed to the workspace when a job gives up at a step that has begun. */
const CLEANUPS: Record<Step, Cleanup> = {
  salvage: 'let-go',
  quiesce: 'let-go',
  snapshot: 'let-go',
  verify: 'let-go',
  teardown: 'none',
  create: 'discard',
  restore: 'discard',
  ready: 'discard',
};

/** A create has no pod that its workspace could go on with. */
const cleanupOf = (kind: Job['kind'], step: Step): Cleanup =>
  kind === 'create' && [...SAVE, ...SALVAGE].includes(step) ? 'none' : CLEANUPS[step];

/** Whatever keeps a lost pod from being saved is one failure. */
const codeOf = ({ salvage }: Job, step: Step): string => (salvage && SALVAGE.includes(step) ? 'salvage_failed' : `${step}_failed`);

const final: StepFailure = { message: 'no', retryable: false, podLost: false };
const passing: StepFailure = { message: 'not now', retryable: true, podLost: false };
const lost: StepFailure = { message: 'gone', retryable: false, podLost: true };

/** Every kind of job at every step of its plan, that step having begun. */
const PLACES = PLANS.flatMap(([name, with_, plan]) =>
  plan.map((step) => ({ name, step, job: aJob({ ...with_, step, attempt: 1, begun: true }) })),
);

describe('the plan of a job', () => {
  it.each(PLANS)('%s runs its steps in their order and no other', (_name, with_, plan) => {
    const job = aJob(with_);
    expect(planOf(job)).toEqual(plan);
    const walked: Step[] = [];
    for (let step = stepAfter(job, null); step !== null; step = stepAfter(job, step)) walked.push(step);
    expect(walked).toEqual(plan);
  });

  it('never tears a pod down without a verified snapshot before it, unless it is told to, nor makes one before the older is gone', () => {
    for (const [, with_] of PLANS) {
      const plan = planOf(aJob(with_));
      if (plan.includes('teardown') && !('withoutSnapshot' in with_)) expect([SAVE, SALVAGE]).toContainEqual(plan.slice(0, 4));
      if (plan.includes('create') && plan.includes('teardown')) expect(plan.indexOf('create')).toBeGreaterThan(plan.indexOf('teardown'));
    }
  });
});

describe('a failed step', () => {
  it.each(PLACES)('$name, $step: a final failure ends the job with the step’s own code, except that teardown goes on', ({ step, job }) => {
    const verdict = afterFailure(job, step, final, LIMITS, NOW);
    if (step === 'teardown') expect(verdict).toEqual({ retryInMs: 100 });
    else expect(verdict).toEqual({ giveUp: { step, code: codeOf(job, step), message: 'no', cleanup: cleanupOf(job.kind, step) } });
  });

  it.each(PLACES)('$name, $step: a passing failure is tried again with longer pauses, until the attempts are used up', ({ step, job }) => {
    const verdicts = [0, 1, 2].map((failures) => afterFailure({ ...job, failures }, step, passing, LIMITS, NOW));
    expect(verdicts.slice(0, 2)).toEqual([{ retryInMs: 100 }, { retryInMs: 200 }]);
    if (step === 'teardown') expect(verdicts[2]).toEqual({ retryInMs: 400 });
    else expect(verdicts[2]).toMatchObject({ giveUp: { code: codeOf(job, step), cleanup: cleanupOf(job.kind, step) } });
  });

  it.each(PLACES)('$name, $step: without time for another attempt the job ends as timed out', ({ step, job }) => {
    const verdict = afterFailure(job, step, passing, LIMITS, new Date(stopAt(job) - 50));
    expect(verdict).toMatchObject({ giveUp: { step, code: 'operation_timeout', cleanup: cleanupOf(job.kind, step) } });
  });

  it.each(PLACES.filter(({ step }) => SAVE.includes(step)))(
    '$name, $step: a lost pod ends the job at once, with nothing to let go',
    ({ step, job }) => {
      expect(afterFailure(job, step, lost, LIMITS, NOW)).toEqual({ giveUp: { step, code: 'pod_lost', message: 'gone', cleanup: 'none' } });
    },
  );

  it('is never tried again after more than the longest pause', () => {
    expect(afterFailure(aJob({ step: 'teardown', attempt: 60, failures: 59 }), 'teardown', passing, LIMITS, NOW)).toEqual({
      retryInMs: 1_000,
    });
  });
});

describe('what stands against a step', () => {
  it.each(STEPS)('%s: nothing in time and at the highest generation', (step) => {
    expect(bar(aJob(), step, NOW)).toBeNull();
  });

  it.each(PLACES)('$name, $step: a newer accepted generation supersedes the job', ({ step, job }) => {
    expect(bar({ ...job, highestGeneration: 3 }, step, NOW)).toMatchObject({
      code: 'operation_timeout',
      cleanup: cleanupOf(job.kind, step),
    });
  });

  it.each(PLACES)('$name, $step: the deadline', ({ step, job }) => {
    expect(bar(job, step, new Date(stopAt(job)))).toMatchObject({ step, code: 'operation_timeout', cleanup: cleanupOf(job.kind, step) });
  });

  it('lets a pod go on whose teardown was only next', () => {
    expect(bar(aJob({ step: 'verify', attempt: 1 }), 'teardown', new Date('2027-01-01'))).toMatchObject({ cleanup: 'let-go' });
  });
});

describe('the moment from which a job begins nothing more', () => {
  it('keeps 15 s for the clean-up, or a tenth of what it was given', () => {
    const job = aJob();
    expect(stopAt(job)).toBe(job.deadlineAt.getTime() - 15_000);
    expect(stopAt({ ...job, acceptedAt: new Date(job.deadlineAt.getTime() - 20_000) })).toBe(job.deadlineAt.getTime() - 2_000);
    expect(stopAt({ ...job, acceptedAt: new Date(job.deadlineAt.getTime() + 20_000) })).toBe(job.deadlineAt.getTime());
  });
});
