import { AgentError } from '../pods/agent-client.types';
import { PodError } from '../pods/pod-driver';
import { SnapshotStoreError } from '../snapshots/snapshot-store';
import { failureOf, StepError } from './step';

describe('what an error means to its job', () => {
  it.each([
    [new AgentError('unreachable', 'no'), true],
    [new AgentError('refused', 'no'), false],
    [new PodError('start_failed', 'no'), true],
    [new PodError('stale_generation', 'no'), false],
    [new SnapshotStoreError('no_space', 'full'), true],
    [new SnapshotStoreError('denied', 'no'), false],
    [new StepError('no', 'final'), false],
    [new StepError('no', 'retryable'), true],
    [new Error('what nobody knows'), true],
  ])('%s: worth another try %s', (error, retryable) => {
    expect(failureOf(error)).toEqual({ message: error.message, retryable, podLost: false });
  });

  it('a lost pod is final', () => {
    expect(failureOf(new StepError('gone', 'pod-lost'))).toEqual({ message: 'gone', retryable: false, podLost: true });
  });

  it('its message can be recorded, whatever is in it', () => {
    expect(failureOf(new Error(`a\0b\ud83d${'x'.repeat(9_000)}`)).message).toBe(`a b\ufffd${'x'.repeat(1_996)}`);
    expect(failureOf(undefinedThrown()).message).toBe('nothing');
  });
});

function undefinedThrown(): unknown {
  return 'nothing';
}
