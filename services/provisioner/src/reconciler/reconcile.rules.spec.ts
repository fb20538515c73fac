import { POD_STATUSES } from '../jobs/record-changes';
import type { PodPhase } from '../pods/pod-driver';
import { corrections } from './reconcile.rules';

const pod = { workspaceId: 'ws_1', generation: 3 };
const STATUSES = [...POD_STATUSES, 'none'] as const;
const PHASES = ['starting', 'running', 'dead', 'nothing'] as const;

/** What must be done: by record, then by what the driver finds. */
const TABLE: Record<(typeof STATUSES)[number], Record<PodPhase | 'nothing', string | null>> = {
  live: { starting: null, running: null, dead: 'report-lost', nothing: 'report-lost' },
  lost: { starting: null, running: null, dead: 'remove', nothing: 'record-gone' },
  creating: { starting: 'remove', running: 'remove', dead: 'remove', nothing: 'record-gone' },
  removing: { starting: 'remove', running: 'remove', dead: 'remove', nothing: 'record-gone' },
  gone: { starting: 'remove', running: 'remove', dead: 'remove', nothing: null },
  none: { starting: 'remove', running: 'remove', dead: 'remove', nothing: null },
};

const CASES = STATUSES.flatMap((status) => PHASES.map((phase) => ({ status, phase, expected: TABLE[status][phase] })));

describe('the reconciler', () => {
  it.each(CASES)('recorded $status, found $phase: $expected', ({ status, phase, expected }) => {
    const found = phase === 'nothing' ? [] : [{ ...pod, phase, salvageable: false, end: null }];
    const recorded = status === 'none' ? [] : [{ ...pod, status }];
    expect(corrections(found, recorded, new Set()).map((it) => it.do)).toEqual(expected === null ? [] : [expected]);
  });

  it.each(CASES)('never touches a workspace that a job works at (recorded $status, found $phase)', ({ status, phase }) => {
    const found = phase === 'nothing' ? [] : [{ ...pod, phase, salvageable: false, end: null }];
    const recorded = status === 'none' ? [] : [{ ...pod, status }];
    expect(corrections(found, recorded, new Set(['ws_1']))).toEqual([]);
  });

  it('leaves what a lost pod left as long as it can be saved, and takes away what is left of any other', () => {
    const found = [{ ...pod, phase: 'dead' as const, salvageable: true, end: null }];
    const doing = (status: (typeof POD_STATUSES)[number]) => corrections(found, [{ ...pod, status }], new Set()).map((it) => it.do);
    expect(doing('lost')).toEqual([]);
    expect(doing('live')).toEqual(['report-lost']);
    for (const status of ['creating', 'removing', 'gone'] as const) expect(doing(status)).toEqual(['remove']);
  });

  it('tells pods of one workspace apart by their generation', () => {
    const found = [
      { ...pod, generation: 2, phase: 'running' as const, salvageable: true, end: null },
      { ...pod, phase: 'running' as const, salvageable: true, end: null },
    ];
    const recorded = [
      { ...pod, generation: 2, status: 'gone' as const },
      { ...pod, status: 'live' as const },
    ];
    expect(corrections(found, recorded, new Set())).toMatchObject([{ do: 'remove', pod: { generation: 2 } }]);
  });

  it.each([
    [null, 'The agent process is gone.'],
    [{ reason: 'out_of_memory' as const, detail: '' }, 'The pod took more memory than it may.'],
    [{ reason: 'evicted' as const, detail: 'The node was low on memory.' }, 'Its node put the pod out: The node was low on memory.'],
  ])('tells how a lost pod ended, where that is known: %o', (end, why) => {
    expect(corrections([{ ...pod, phase: 'dead', salvageable: true, end }], [{ ...pod, status: 'live' }], new Set())).toMatchObject([
      { do: 'report-lost', why },
    ]);
  });
});
