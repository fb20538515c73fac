import { newId } from '@reprise/contracts';
import type { KubePod } from '../kube-objects';
import { labelsOf, nameOf } from '../names';

export const INSTANCE = 'tested';

/** A pod as the API tells of it, of a workspace that no other test has. */
export function aPod(status: KubePod['status'], metadata: Partial<KubePod['metadata']> = {}): KubePod {
  const workspaceId = newId('workspace');
  const own = {
    name: nameOf(workspaceId),
    uid: `uid-of-${workspaceId}`,
    resourceVersion: '7',
    labels: labelsOf({ workspaceId, generation: 2 }, INSTANCE),
  };
  return { metadata: { ...own, ...metadata }, spec: { containers: [] }, status };
}

/** The status of the agent's container, in this state. */
export function agentIn(state: object, more: object = {}) {
  return { name: 'agent', image: 'i', imageID: '', ready: false, restartCount: 0, state, ...more };
}
