import { LARGEST_VARIABLE } from '@reprise/contracts';
import { PodError, type PodIdentity, type PodSpec } from './pod-driver';

/** A plain name: it never climbs in a path, and is part of the name that a driver gives to a pod. */
const WORKSPACE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** @throws PodError `invalid_spec` */
export function assertIdentity(pod: PodIdentity): void {
  if (!WORKSPACE_ID.test(pod.workspaceId)) throw invalid('its workspace id is not one');
  if (!Number.isSafeInteger(pod.generation) || pod.generation < 1) throw invalid('its generation is not a positive whole number');
}

/** @throws PodError `invalid_spec` for what no process can be started with */
export function assertSpec(spec: PodSpec): void {
  assertIdentity(spec);
  if (spec.token === '') throw invalid('it has no token');
  if (!Number.isSafeInteger(spec.taskTimeoutSeconds) || spec.taskTimeoutSeconds < 1)
    throw invalid('its task time limit is not a positive whole number');
  // Each list stands for one variable of the agent's environment.
  const variables: Readonly<Record<string, readonly string[]>> = {
    token: [spec.token],
    command: spec.command ?? [],
    environment: [spec.environment ?? ''],
    env: Object.entries(spec.env).flat(),
    'provider kind': [spec.provider?.kind ?? ''],
    'provider config': [JSON.stringify(spec.provider?.config ?? {})],
  };
  for (const [name, words] of Object.entries(variables)) {
    if (words.some((word) => word.includes('\0'))) throw invalid(`its ${name} holds a NUL`);
    if (Buffer.byteLength(JSON.stringify(words)) > LARGEST_VARIABLE) throw invalid(`its ${name} is too large to be passed to a process`);
  }
  if (Object.keys(spec.env).some((name) => name === '' || name.includes('='))) throw invalid('its env has a name that is none');
}

function invalid(why: string): PodError {
  return new PodError('invalid_spec', why);
}
