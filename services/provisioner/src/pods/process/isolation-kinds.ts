/**
 * How the processes of a pod are told from all others, and kept from what is not theirs; the first that works is the best:
 * - `user`: the pod has a user of its own, which no process can change, and which closes other files and processes to it;
 * - `namespace`: the pod is in user, process and mount namespaces of its own. No process can leave them, and they hide other processes, the state of Reprise
 *   and the files of other pods;
 * - `cgroup`: the pod is in a cgroup of its own. A process leaves it only on purpose, and it hides nothing;
 * - `environment`: the pod's processes inherit a mark in their environment. A process can drop it.
 */
export const ISOLATIONS = ['user', 'namespace', 'cgroup', 'environment'] as const;
export type IsolationKind = (typeof ISOLATIONS)[number];

/** What a pod was made with; kept with the pod, so that it is found in the same way by a provisioner with other settings. */
export type Isolation =
  | { readonly by: 'user'; readonly uid: number }
  | { readonly by: 'namespace' }
  | { readonly by: 'cgroup'; readonly directory: string }
  | { readonly by: 'environment' };

/** What the agent is told of it (`REPRISE_PROCESSES`). */
export function membershipOf(isolation: Isolation): string | undefined {
  switch (isolation.by) {
    case 'user':
    case 'namespace':
      return isolation.by;
    case 'cgroup':
      return `cgroup:${isolation.directory}`;
    case 'environment':
      return undefined;
  }
}
