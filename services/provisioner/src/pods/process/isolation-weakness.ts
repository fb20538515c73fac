import type { IsolationFound } from './pod-isolation';

const NOT_ISOLATED = 'Pods are not isolated: a task can read the files of Reprise and of other pods';
const TRUSTED_ONLY = 'Use POD_DRIVER=process in this way only with tenants that you trust';
const UNSAFE = {
  cgroup: `${NOT_ISOLATED}, and can leave the cgroup in which it is found. ${TRUSTED_ONLY}`,
  environment: `${NOT_ISOLATED}, and a process that drops its environment and leaves its session and its directory is not found when its workspace is saved or ended. ${TRUSTED_ONLY}`,
};

/** What a task can do that it should not, and why no better way of isolation works here; null where a good one does. */
export function weaknessOf({ kind, refused }: IsolationFound): string | null {
  if (kind === 'user' || kind === 'namespace') return null;
  return refused.length === 0 ? UNSAFE[kind] : `${UNSAFE[kind]} (${refused.join('; ')})`;
}
