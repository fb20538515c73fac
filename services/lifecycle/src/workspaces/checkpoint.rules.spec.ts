import { isCheckpointDue } from './checkpoint.rules';

const NOW = new Date('2026-11-02T10:00:00Z');
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000);
const workspace = {
  status: 'idle' as const,
  pod_generation: 2,
  idle_since: ago(90),
  saved_at: ago(100),
  checkpoint_asked_at: null as Date | null,
  background_work: false,
};
const due = (with_: Partial<Parameters<typeof isCheckpointDue>[0]>, interval = 60): boolean =>
  isCheckpointDue({ ...workspace, ...with_ }, { checkpoint_interval_seconds: interval }, NOW);

describe('a checkpoint is', () => {
  it('due where a task has run since the last one, and the interval is over', () => {
    expect(due({})).toBe(true);
    expect(due({}, 100)).toBe(true);
  });

  it('not due before the interval is over, nor where a role wants none', () => {
    expect(due({}, 101)).toBe(false);
    expect(due({}, 0)).toBe(false);
  });

  it('not due where nothing can have changed, but due where something runs in the background', () => {
    expect(due({ idle_since: ago(200) })).toBe(false);
    expect(due({ idle_since: ago(200), background_work: true })).toBe(true);
  });

  it('due of a workspace that is not known to have been saved, once it has idled for the interval', () => {
    expect(due({ saved_at: null })).toBe(true);
    expect(due({ saved_at: null, idle_since: ago(59) })).toBe(false);
  });

  it('asked for again after the interval, or five minutes where that is less', () => {
    expect(due({ checkpoint_asked_at: ago(59) })).toBe(false);
    expect(due({ checkpoint_asked_at: ago(60) })).toBe(true);
    const old = { idle_since: ago(80_000), saved_at: ago(90_000) };
    expect(due({ ...old, checkpoint_asked_at: ago(299) }, 3_600)).toBe(false);
    expect(due({ ...old, checkpoint_asked_at: ago(300) }, 3_600)).toBe(true);
  });

  it.each(['busy', 'provisioning', 'stopping', 'stopped', 'failed'] as const)('never due of one that is %s', (status) => {
    expect(due({ status })).toBe(false);
  });
});
