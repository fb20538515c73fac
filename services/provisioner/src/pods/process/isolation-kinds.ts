/**
 * How the processes of a pod are told from all others:
 * - `user`: the pod has a user of its own, which no process can change, and which closes other files and processes to it;
 * - `environment`: the pod's processes inherit a mark in their environment. A process can drop it.
 */
export const ISOLATIONS = ['user', 'environment'] as const;
export type IsolationKind = (typeof ISOLATIONS)[number];

/** What a pod was made with; kept with the pod, so that it is found in the same way by a provisioner with other settings. */
export type Isolation = { readonly by: 'user'; readonly uid: number } | { readonly by: 'environment' };
