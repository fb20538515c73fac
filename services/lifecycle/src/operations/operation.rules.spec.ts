import type { PodStepChanged } from '@reprise/contracts';
import * as fc from 'fast-check';
import {
  PhaseRecord,
  StepFact,
  closed,
  isCurrent,
  reachWorkspace,
  snapshotErrorOf,
  statusAfter,
  stepsOf,
  timeoutMessage,
  unlessLost,
  whenFailed,
  whenRemoved,
  withStep,
} from './operation.rules';

const at = (second: number): string => `2026-11-02T09:30:${String(second).padStart(2, '0')}.000Z`;

const TIMELINE: StepFact[] = [
  { step: 'quiesce', status: 'started', attempt: 1, at: at(0) },
  { step: 'quiesce', status: 'succeeded', attempt: 1, at: at(1) },
  { step: 'snapshot', status: 'started', attempt: 1, at: at(2) },
  { step: 'snapshot', status: 'failed', attempt: 1, at: at(3), detail: 'no space' },
  { step: 'snapshot', status: 'started', attempt: 2, at: at(5) },
  { step: 'snapshot', status: 'succeeded', attempt: 2, at: at(6) },
];

describe('the timeline', () => {
  it('shows each step once, with its last attempt and its first beginning', () => {
    const phases = TIMELINE.reduce<readonly PhaseRecord[]>(withStep, []);
    expect(phases).toEqual([
      { name: 'quiesce', status: 'succeeded', started_at: at(0), finished_at: at(1), attempt: 1 },
      { name: 'snapshot', status: 'succeeded', started_at: at(2), finished_at: at(6), attempt: 2 },
    ]);
  });

  it('ends the same whatever order the facts arrive in, and however often', () => {
    const ends = TIMELINE.filter((f) => f.status !== 'started');
    fc.assert(
      fc.property(fc.shuffledSubarray([...TIMELINE, ...TIMELINE], { minLength: TIMELINE.length * 2 }), (facts) => {
        const phases = facts.reduce<readonly PhaseRecord[]>(withStep, []);
        for (const name of ['quiesce', 'snapshot'] as const) {
          const last = ends.findLast((f) => f.step === name);
          expect(phases.find((p) => p.name === name)).toMatchObject({
            status: last?.status,
            finished_at: last?.at,
            attempt: last?.attempt,
          });
        }
      }),
    );
  });

  it('is as if the step that began with another’s end had been told by itself', () => {
    const about = { operation_id: 'op', workspace_id: 'ws', generation: 4 };
    const told: PodStepChanged[] = [
      { ...about, step: 'snapshot', status: 'started', attempt: 1, at: at(0) },
      { ...about, step: 'snapshot', status: 'failed', attempt: 1, at: at(1), detail: 'no space', next: { step: 'snapshot', attempt: 2 } },
      { ...about, step: 'snapshot', status: 'succeeded', attempt: 2, at: at(2), next: { step: 'verify', attempt: 1 } },
    ];
    const fence = { operation_id: 'op', generation: 4 };
    expect(told.flatMap(stepsOf)).toEqual([
      { ...fence, step: 'snapshot', status: 'started', attempt: 1, at: at(0) },
      { ...fence, step: 'snapshot', status: 'failed', attempt: 1, at: at(1), detail: 'no space' },
      { ...fence, step: 'snapshot', status: 'started', attempt: 2, at: at(1) },
      { ...fence, step: 'snapshot', status: 'succeeded', attempt: 2, at: at(2) },
      { ...fence, step: 'verify', status: 'started', attempt: 1, at: at(2) },
    ]);
    fc.assert(
      fc.property(fc.shuffledSubarray([...told, ...told], { minLength: 6 }), (messages) => {
        const phases = messages.flatMap(stepsOf).reduce<readonly PhaseRecord[]>(withStep, []);
        expect(phases.find((p) => p.name === 'snapshot')).toMatchObject({ status: 'succeeded', finished_at: at(2), attempt: 2 });
        expect(phases.find((p) => p.name === 'verify')).toMatchObject({ status: 'running', started_at: at(2), attempt: 1 });
      }),
    );
  });

  it('has no step that still runs once its operation has ended', () => {
    const phases = TIMELINE.slice(0, 3).reduce<readonly PhaseRecord[]>(withStep, []);
    const ended = closed(phases, 'succeeded', new Date(at(9)));
    expect(ended.map(({ status, finished_at }) => [status, finished_at])).toEqual([
      ['succeeded', at(1)],
      ['succeeded', at(9)],
    ]);
  });

  it('is the very same timeline where the fact is old', () => {
    const phases = TIMELINE.reduce<readonly PhaseRecord[]>(withStep, []);
    for (const fact of TIMELINE) expect(withStep(phases, fact)).toBe(phases);
  });
});

describe('facts', () => {
  it('of another operation or an older generation are not current', () => {
    const workspace = { operationId: 'op_b', generation: 3 };
    expect(isCurrent(workspace, { operation_id: 'op_b', generation: 3 })).toBe(true);
    expect(isCurrent(workspace, { operation_id: 'op_a', generation: 3 })).toBe(false);
    expect(isCurrent(workspace, { operation_id: 'op_b', generation: 2 })).toBe(false);
    expect(isCurrent({ operationId: null, generation: 3 }, { operation_id: 'op_b', generation: 3 })).toBe(false);
  });

  it('a failure that keeps the pod brings the workspace back to what it was', () => {
    expect(whenFailed(true, { podGeneration: 2, runningTaskId: null })).toEqual({ status: 'idle', podGeneration: 2, taskEnds: null });
    expect(whenFailed(true, { podGeneration: 2, runningTaskId: 'task_1' })).toEqual({ status: 'busy', podGeneration: 2, taskEnds: null });
    expect(whenFailed(false, { podGeneration: 2, runningTaskId: null })).toEqual({ status: 'failed', podGeneration: null, taskEnds: null });
  });

  it('an ending with a pod that was told lost before fails the workspace, and no other ending', () => {
    const [idle, busy] = [whenFailed(true, { podGeneration: 2, runningTaskId: null }), { podGeneration: 2, runningTaskId: 'task_1' }];
    expect(unlessLost(idle, 2, { podGeneration: 2, runningTaskId: null })).toEqual({
      status: 'failed',
      podGeneration: null,
      taskEnds: null,
    });
    expect(unlessLost(whenFailed(true, busy), 2, busy)).toEqual({
      status: 'failed',
      podGeneration: null,
      taskEnds: { status: 'failed', reason: 'pod_lost' },
    });
    for (const older of [null, 1]) expect(unlessLost(idle, older, busy)).toBe(idle);
    const stopped = whenRemoved('stop', busy);
    expect(unlessLost(stopped, 2, busy)).toBe(stopped);
  });

  it('only the steps that save are the snapshot’s error', () => {
    expect(snapshotErrorOf('snapshot', 'no space')).toBe('no space');
    expect(snapshotErrorOf('verify', 'wrong checksum')).toBe('wrong checksum');
    expect(snapshotErrorOf('create', 'no port')).toBeNull();
  });

  it('a restart is provisioning from the moment its new pod is being made', () => {
    const workspace = { operationId: 'op', generation: 4, status: 'stopping' as const };
    const told = (step: 'create' | 'teardown', generation = 4) => ({ operation_id: 'op', generation, step, status: 'started' as const });
    expect(statusAfter('restart', workspace, [told('teardown'), told('create')])).toBe('provisioning');
    expect(statusAfter('restart', workspace, [told('teardown')])).toBeNull();
    expect(statusAfter('stop', workspace, [told('create')])).toBeNull();
    expect(statusAfter('restart', workspace, [told('create', 3)])).toBeNull();
    expect(statusAfter('restart', { ...workspace, status: 'idle' }, [told('create')])).toBeNull();
  });

  it('most steps move the timeline alone; an interrupted task and the making of the next pod reach the workspace', () => {
    const about = { operation_id: 'op', workspace_id: 'ws', generation: 4, attempt: 1, at: at(0) };
    const verified = { ...about, step: 'verify', status: 'succeeded' } as const;
    expect(
      reachWorkspace([
        { ...verified, next: { step: 'teardown', attempt: 1 } },
        { ...verified, interrupted_task_id: null },
      ]),
    ).toBe(false);
    expect(reachWorkspace([verified, { ...about, step: 'quiesce', status: 'succeeded', interrupted_task_id: 'task' }])).toBe(true);
    expect(reachWorkspace([verified, { ...about, step: 'teardown', status: 'succeeded', next: { step: 'create', attempt: 1 } }])).toBe(
      true,
    );
    expect(reachWorkspace([{ ...about, step: 'create', status: 'started' }])).toBe(true);
  });

  it('a missed deadline says in which phase', () => {
    expect(timeoutMessage([]).message).toContain('before its first phase');
    expect(timeoutMessage([{ name: 'restore', status: 'running', started_at: at(0), finished_at: null }]).message).toContain(
      'in the phase restore',
    );
  });
});
