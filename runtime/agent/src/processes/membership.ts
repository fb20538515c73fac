import { readlinkSync } from 'node:fs';
import { pidsIn } from './cgroup';
import { startedWith } from './environment';
import { directoryOf, livingOf, livingProcesses, usersOf, type ProcessInfo } from './process-table';

/**
 * How the processes of a pod are told from all others:
 * - `user`: they run as the agent's user, which nothing else does;
 * - `namespace`: /proc shows no others;
 * - `cgroup`: they are in this directory of cgroup v2, or in one below it;
 * - `environment`: they carry the pod's mark in their environment, or belong to a process that does. The only one that a process can drop.
 */
export type Membership =
  | { readonly by: 'user' }
  | { readonly by: 'namespace' }
  | { readonly by: 'cgroup'; readonly directory: string }
  | { readonly by: 'environment' };

/** The kernel's own name of the namespace of processes that it begins with, which all others are in. */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/** Adds to the problems where the value is none, or would take processes for the pod's that are not. */
export function readMembership(text: string | undefined, problems: string[]): Membership {
  if (text === undefined) return { by: 'environment' };
  if (text.startsWith('cgroup:/')) return { by: 'cgroup', directory: text.slice('cgroup:'.length) };
  if (text === 'user' && process.getuid?.() !== 0) return { by: 'user' };
  if (text === 'namespace' && readlinkSync('/proc/self/ns/pid') !== FIRST_NAMESPACE) return { by: 'namespace' };
  const why: Readonly<Record<string, string>> = {
    user: 'REPRISE_PROCESSES cannot be "user": the agent runs as root',
    namespace: 'REPRISE_PROCESSES cannot be "namespace": the agent is in the namespace of the whole machine',
  };
  problems.push(why[text] ?? 'REPRISE_PROCESSES must be "user", "namespace" or "cgroup:" with an absolute path');
  return { by: 'environment' };
}

/** What counts as the pod's own where membership is by environment. */
export interface Surroundings {
  readonly mark: string;
  readonly workspaceDir: string;
}

/** The pod's processes that live now, its agent among them. None where there is no /proc. */
export async function membersOf(membership: Membership, around: Surroundings): Promise<readonly ProcessInfo[]> {
  switch (membership.by) {
    case 'namespace':
      return livingProcesses();
    case 'user': {
      const user = process.getuid?.() ?? -1;
      return livingProcesses((pid) => usersOf(pid).includes(user));
    }
    case 'cgroup':
      return livingOf(pidsIn(membership.directory));
    case 'environment':
      return byEnvironment(await livingProcesses(), around);
  }
}

/**
 * Those with the mark; those in the session of one, descended from one or from the agent; and those that work in the workspace and have no terminal:
 * a person who looks around there in a shell is not of the pod. What left all of this is not found.
 */
async function byEnvironment(all: readonly ProcessInfo[], { mark, workspaceDir }: Surroundings): Promise<readonly ProcessInfo[]> {
  const found = new Set<number>([process.pid]);
  const sessions = new Set<number>();
  // The agent's own session may be that of whoever started it.
  const own = all.find(({ pid }) => pid === process.pid)?.session;
  for (const it of await startedWith(`REPRISE_POD=${mark}`, all)) {
    found.add(it.pid);
    if (it.session !== own) sessions.add(it.session);
  }
  for (const it of all) {
    if (sessions.has(it.session)) found.add(it.pid);
    else if (it.hasMemory && !it.hasTerminal && `${directoryOf(it) ?? ''}/`.startsWith(`${workspaceDir}/`)) found.add(it.pid);
  }
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const it of all) if (found.has(it.parent)) found.add(it.pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}
