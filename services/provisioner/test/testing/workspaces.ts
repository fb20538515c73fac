import { randomBytes } from 'node:crypto';
import { newId, podToken } from '@reprise/contracts';
import { ANY_RUNTIME, type PodSpec } from '../../src/pods/pod-driver';

const SECRET = randomBytes(16).toString('hex');

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
    token: podToken(SECRET, identity),
  };
}

/** The same workspace's spec in a later generation. */
export function nextGeneration(spec: PodSpec, by = 1): PodSpec {
  return newSpec({ ...spec, generation: spec.generation + by });
}
