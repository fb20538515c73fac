import { isId } from '@reprise/contracts';
import { PodError, type PodIdentity } from '../pod-driver';
import type { ObjectMeta } from './kube-objects';

export const LABEL = {
  managedBy: 'app.kubernetes.io/managed-by',
  instance: 'reprise.dev/instance',
  workspace: 'reprise.dev/workspace',
  generation: 'reprise.dev/generation',
  /** `salvage` of a pod that serves what a dead one left; absent otherwise. */
  mode: 'reprise.dev/mode',
} as const;

const MANAGER = 'reprise';

/** The container that runs the agent. */
export const AGENT_CONTAINER = 'agent';

/**
 * What the workspace's pod is called, of whatever generation: so the API itself refuses a second one. Its fence has the same name.
 * @throws PodError `invalid_spec`
 */
export function nameOf(workspaceId: string): string {
  // An id is lower case by its alphabet; nothing else of it can be wrong in a name but the underscore.
  if (!isId('workspace', workspaceId)) throw new PodError('invalid_spec', 'its workspace id is not one');
  return `reprise-${workspaceId.replace('_', '-')}`;
}

export function labelsOf(pod: PodIdentity, instance: string): Record<string, string> {
  return { ...workspaceLabels(pod.workspaceId, instance), [LABEL.generation]: String(pod.generation) };
}

export function workspaceLabels(workspaceId: string, instance: string): Record<string, string> {
  return { [LABEL.managedBy]: MANAGER, [LABEL.instance]: instance, [LABEL.workspace]: workspaceId };
}

/** Of all that this installation made. */
export function selectorOf(instance: string): string {
  return `${LABEL.managedBy}=${MANAGER},${LABEL.instance}=${instance}`;
}

/** Whose pod it is; null where it does not say, or says another installation's. */
export function identityIn({ labels }: ObjectMeta, instance: string): PodIdentity | null {
  if (labels?.[LABEL.managedBy] !== MANAGER || labels[LABEL.instance] !== instance) return null;
  const [workspaceId, generation] = [labels[LABEL.workspace], Number(labels[LABEL.generation])];
  if (!isId('workspace', workspaceId) || !Number.isSafeInteger(generation) || generation < 1) return null;
  return { workspaceId, generation };
}
