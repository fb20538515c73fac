import type { KubePod } from './kube-objects';
import { type PodView, stateOf, viewOf } from './pod-view';
import { agentIn, aPod, INSTANCE } from './testing/pod';

const view = (status: KubePod['status'], metadata: Partial<KubePod['metadata']> = {}): PodView =>
  viewOf(aPod(status, metadata), INSTANCE, 8_700)!;
const running = { phase: 'Running', podIP: '10.0.0.7' };
const condition = (type: string, status: string, reason?: string, message?: string) => ({ type, status, reason, message });
const terminated = (more: object) => ({ containerStatuses: [agentIn({ terminated: { exitCode: 1, reason: 'Error', ...more } })] });

describe('a pod of the API is', () => {
  it('starting, until its agent has listened once', () => {
    expect(view({ phase: 'Pending' })).toMatchObject({ phase: 'starting', address: null });
    expect(view({ ...running, containerStatuses: [agentIn({ running: {} }, { started: false })] })).toMatchObject({ phase: 'starting' });
  });

  it('running from then on, also while it is not ready for a moment', () => {
    const status = { ...running, containerStatuses: [agentIn({ running: {} }, { started: true })] };
    expect(view(status)).toMatchObject({ phase: 'running', address: 'http://10.0.0.7:8700', end: null });
    expect(view({ ...status, podIP: 'fd00::7' }).address).toBe('http://[fd00::7]:8700');
  });

  it('running while it is being deleted, for as long as its agent runs', () => {
    const status = { ...running, containerStatuses: [agentIn({ running: {} }, { ready: true })] };
    expect(view(status, { deletionTimestamp: 'now' })).toMatchObject({ phase: 'running', terminating: true });
  });

  it.each<[string, KubePod['status'], string, string]>([
    [
      'ended by itself',
      { phase: 'Failed', ...terminated({ message: 'the reason why\n' }) },
      'exited',
      'Error, exit code 1: the reason why',
    ],
    ['ended well', { phase: 'Succeeded', ...terminated({ exitCode: 0, reason: 'Completed' }) }, 'exited', 'Completed, exit code 0'],
    ['ended, beside others that run', { ...running, ...terminated({ signal: 9 }) }, 'exited', 'Error, signal 9'],
    [
      'took too much memory',
      { phase: 'Failed', ...terminated({ reason: 'OOMKilled', exitCode: 137 }) },
      'out_of_memory',
      'OOMKilled, exit code 137',
    ],
    ['was evicted', { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }, 'evicted', 'Evicted: low on memory'],
    [
      'was on a node that was shut down',
      { phase: 'Failed', reason: 'Terminated', message: 'node shutdown' },
      'evicted',
      'Terminated: node shutdown',
    ],
    ['made room on its node', { phase: 'Failed', reason: 'Preempting', message: 'critical' }, 'preempted', 'Preempting: critical'],
    [
      'made room, and ended',
      { phase: 'Failed', ...terminated({}), conditions: [condition('DisruptionTarget', 'True', 'PreemptionByScheduler', 'priority')] },
      'preempted',
      'PreemptionByScheduler: priority',
    ],
    ['was on a node that is lost', { ...running, reason: 'NodeLost', message: 'unresponsive' }, 'node_lost', 'NodeLost: unresponsive'],
    [
      'is given up by the taint manager, unconfirmed',
      {
        ...running,
        containerStatuses: [agentIn({ running: {} }, { started: true })],
        conditions: [condition('Ready', 'False'), condition('DisruptionTarget', 'True', 'DeletionByTaintManager', 'taint')],
      },
      'node_lost',
      'DeletionByTaintManager: taint',
    ],
    [
      'was collected as its node is no more',
      { ...running, conditions: [condition('DisruptionTarget', 'True', 'DeletionByPodGC', 'no node')] },
      'node_lost',
      'DeletionByPodGC: no node',
    ],
    [
      'could not be given its agent',
      { phase: 'Failed', initContainerStatuses: [agentIn({ terminated: { exitCode: 2, reason: 'Error', message: 'no room' } })] },
      'exited',
      'Error, exit code 2: no room',
    ],
  ])('dead where it %s', (_what, status, reason, detail) => {
    const seen = view(status);
    expect(stateOf(seen, false)).toMatchObject({ phase: 'dead', address: null, ref: null, end: { reason, detail } });
  });

  it('alive where a taint manager wants it gone and its node still answers', () => {
    const conditions = [condition('Ready', 'True'), condition('DisruptionTarget', 'True', 'DeletionByTaintManager', 'taint')];
    const seen = view({ ...running, conditions, containerStatuses: [agentIn({ running: {} }, { ready: true })] });
    expect(stateOf(seen, false)).toMatchObject({ phase: 'running', end: null });
    // And what it will have been is known, should it be gone the next moment.
    expect(seen.end).toMatchObject({ reason: 'evicted' });
  });

  it.each<[string, string, boolean, KubePod['status']]>([
    [
      'ErrImagePull',
      'image_unavailable',
      true,
      { containerStatuses: [agentIn({ waiting: { reason: 'ErrImagePull', message: 'not found' } })] },
    ],
    [
      'ImagePullBackOff',
      'image_unavailable',
      true,
      { initContainerStatuses: [agentIn({ waiting: { reason: 'ImagePullBackOff', message: 'not found' } })] },
    ],
    [
      'InvalidImageName',
      'image_unavailable',
      true,
      { containerStatuses: [agentIn({ waiting: { reason: 'InvalidImageName', message: 'not found' } })] },
    ],
    ['Unschedulable', 'unschedulable', false, { conditions: [condition('PodScheduled', 'False', 'Unschedulable', 'not found')] }],
    ['OutOfmemory', 'unschedulable', true, { phase: 'Failed', reason: 'OutOfmemory', message: 'not found' }],
    [
      'ContainerCreating',
      'waiting',
      false,
      { containerStatuses: [agentIn({ waiting: { reason: 'ContainerCreating', message: 'not found' } })] },
    ],
  ])('in trouble with %s: %s', (word, reason, final, status) => {
    expect(view({ phase: 'Pending', ...status }).trouble).toEqual({ reason, detail: `${word}: not found`, final });
  });

  it('none of ours without all of our labels', () => {
    const labels = aPod({}).metadata.labels!;
    for (const name of Object.keys(labels)) {
      expect(viewOf(aPod({}, { labels: { ...labels, [name]: 'other' } }), INSTANCE, 1)).toBeNull();
    }
    expect(viewOf(aPod({}, { labels }), INSTANCE, 1)).not.toBeNull();
  });
});
