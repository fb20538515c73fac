import { randomBytes } from 'node:crypto';
import { newId } from '@reprise/contracts';
import { ANY_RUNTIME, type PodIdentity, type PodSpec } from '../../src/pods/pod-driver';
import { PodKeys } from '../../src/pods/pod-keys';

const KEYS = new PodKeys(randomBytes(16).toString('hex'));

/** What the agent of a pod that was made from such a spec accepts. */
export function credentialsOf(pod: PodIdentity): ReturnType<PodKeys['credentials']> {
  return KEYS.credentials(pod);
}

/** A spec of a workspace that no other test has. Its tasks run their text in a shell. */
export function newSpec(overrides: Partial<PodSpec> = {}): PodSpec {
  const identity = { workspaceId: newId('workspace'), generation: 1, ...overrides };
  return {
    command: ['sh', '-c', 'eval "$(cat)"'],
    env: {},
    taskTimeoutSeconds: 60,
    environment: null,
    provider: null,
    runtime: ANY_RUNTIME,
    ...overrides,
    ...identity,
    token: KEYS.token(identity),
    controlKeys: KEYS.publicKeys(),
  };
}

/** The same workspace's spec in a later generation. */
export function nextGeneration(spec: PodSpec, by = 1): PodSpec {
  return newSpec({ ...spec, generation: spec.generation + by });
}
