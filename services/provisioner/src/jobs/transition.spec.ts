import { CATALOG } from '@reprise/contracts';
import { runWith } from '@reprise/platform';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { aJob } from './testing/job';
import { type Advance, Transition } from './transition';

const NOW = new Date('2026-01-01T00:01:00Z');
const nothing = (): object => ({});

/** The events that it tells, each checked against its own contract. */
function told({ messages }: Advance): [string, object][] {
  return messages.map(({ type, data }) => {
    const problems = validateSync(plainToInstance(CATALOG.get(type)!, data), { whitelist: true, forbidNonWhitelisted: true });
    expect(problems.map((p) => p.toString())).toEqual([]);
    return [type.replace(/^reprise\.pod\.(.*)\.v1$/, '$1'), data];
  });
}

describe('a transition', () => {
  it('ends a step and begins the next in one move, both journalled and told', () => {
    const job = aJob({ step: 'quiesce', attempt: 1, begun: true, failures: 2 });
    const interruptedTaskId = 'task_01k9zv6m3se4ht8v5y2q7n0xae';
    const advance = new Transition(job, NOW).succeed({ interruptedTaskId }).begin('snapshot', nothing).advance();
    expect(advance.job).toMatchObject({ step: 'snapshot', attempt: 1, begun: true, failures: 0, status: 'running' });
    expect(advance.job.newSnapshotId).toMatch(/^snap_/);
    expect(advance.changes).toEqual([
      { step: 'quiesce', attempt: 1, status: 'succeeded', at: NOW, interruptedTaskId },
      { step: 'snapshot', attempt: 1, status: 'started', at: NOW },
    ]);
    const next = { step: 'snapshot', attempt: 1 };
    expect(told(advance)).toMatchObject([
      ['step-changed', { step: 'quiesce', status: 'succeeded', interrupted_task_id: interruptedTaskId, next }],
    ]);
  });

  it('tells of each change once, together where a step begins as another ends', () => {
    const begun = new Transition(aJob({ step: null }), NOW).begin('quiesce', nothing);
    expect(told(begun.advance())).toEqual([['step-changed', expect.objectContaining({ step: 'quiesce', attempt: 1, status: 'started' })]]);
    const again = new Transition(begun.job, NOW).interrupt('stopped').begin('quiesce', nothing);
    expect(told(again.advance())).toMatchObject([
      ['step-changed', { step: 'quiesce', attempt: 1, status: 'failed', next: { step: 'quiesce', attempt: 2 } }],
    ]);
    const parked = new Transition(again.job, NOW).fail('no').park('quiesce', 250).advance();
    expect(told(parked)).toEqual([['step-changed', expect.not.objectContaining({ next: expect.anything() })]]);
  });

  it('tells of a step in the trace of that step, whenever it is written', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const job = aJob({ step: 'quiesce', attempt: 1, begun: true });
    const move = await runWith({ traceparent }, () => Promise.resolve(new Transition(job, NOW).succeed({}).begin('snapshot', nothing)));
    expect(move.advance().messages).toEqual([expect.objectContaining({ traceparent })]);
  });

  it('counts an attempt that failed by itself, and not one that was interrupted', () => {
    const job = aJob({ step: 'snapshot', attempt: 1, begun: true });
    expect(new Transition(job, NOW).fail('no').park('snapshot', 250).advance()).toMatchObject({
      job: { status: 'waiting', step: 'snapshot', attempt: 1, begun: false, failures: 1 },
      waitMs: 250,
    });
    expect(new Transition(job, NOW).interrupt('stopped').begin('snapshot', nothing).advance().job).toMatchObject({
      attempt: 2,
      failures: 0,
    });
  });

  it('keeps the id of its snapshot through all attempts, and makes it the last good one when it is verified', () => {
    const begun = new Transition(aJob({ step: 'quiesce', attempt: 1 }), NOW).begin('snapshot', nothing).job;
    const again = new Transition(begun, NOW).interrupt('stopped').begin('snapshot', nothing).job;
    expect(again.newSnapshotId).toBe(begun.newSnapshotId);
    expect(again.snapshotId).toBeNull();
    const verified = new Transition({ ...again, step: 'verify' }, NOW).succeed({}).job;
    expect(verified.snapshotId).toBe(begun.newSnapshotId);
  });

  it('tells the goal of each kind of job', () => {
    const snapshotId = 'snap_01k9zv6m3se4ht8v5y2q7n0xad';
    const replaced = new Transition(aJob({ snapshotId, step: 'ready', attempt: 1 }), NOW).succeed({}).finish().advance();
    expect(told(replaced)[1]).toMatchObject(['ready', { role_version: 3, snapshot_id: snapshotId }]);
    const removed = new Transition(aJob({ kind: 'remove', snapshotId, step: 'teardown', attempt: 1 }), NOW).succeed({}).finish().advance();
    expect(told(removed)[1]).toMatchObject(['removed', { snapshot_id: snapshotId }]);
  });

  it('records a lost pod as lost, and tells the failure only when the clean-up is done', () => {
    const ending = { step: 'quiesce', code: 'pod_lost', message: 'gone', cleanup: 'none' } as const;
    const given = new Transition(aJob({ step: 'quiesce', attempt: 1, begun: true }), NOW).fail('gone').giveUp(ending).advance();
    expect(given.pods).toMatchObject([{ generation: 1, status: 'lost' }]);
    expect(told(given).map(([type]) => type)).toEqual(['step-changed']);
    const finished = new Transition(given.job, NOW).finishFailed(false, []).advance();
    expect(told(finished)).toMatchObject([['job-failed', { pod_kept: false, step: 'quiesce', code: 'pod_lost', snapshot_id: null }]]);
    expect(finished.job.status).toBe('failed');
  });

  it('cuts a reason that is longer than an event may carry', () => {
    const advance = new Transition(aJob({ step: 'verify', attempt: 1 }), NOW).fail('x'.repeat(9_000)).advance();
    expect(told(advance)[0]![1]).toMatchObject({ detail: 'x'.repeat(2_000) });
  });
});
