import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { conversationOf, treeOf, type Tree } from '../../support';
import type { Pod } from '../../support/pods';

/** What a workspace holds: its files, and what has been said in it. */
export interface State {
  tree: Tree;
  conversation: string[];
}

export const NOTHING: State = { tree: {}, conversation: [] };

/** What a pod holds at this moment; null where it goes away while it is looked at. */
export function stateOf({ files, pid }: Pod): State | null {
  try {
    const state = { tree: treeOf(files), conversation: saidIn(files) };
    process.kill(pid, 0);
    return state;
  } catch {
    return null;
  }
}

/** In words, how the second differs from the first; null where it does not. A conversation may have gone on: what was said must still stand. */
export function difference(before: State, after: State): string | null {
  const paths = [...new Set([...Object.keys(before.tree), ...Object.keys(after.tree)])];
  const differing = paths.filter((path) => JSON.stringify(before.tree[path]) !== JSON.stringify(after.tree[path]));
  if (differing.length > 0) {
    const [path] = differing;
    return `${differing.length} of ${paths.length} paths differ, such as ${path}: ${JSON.stringify(before.tree[path!])} → ${JSON.stringify(after.tree[path!])}`;
  }
  const lost = before.conversation.findIndex((line, index) => after.conversation[index] !== line);
  if (lost >= 0) return `line ${lost + 1} of ${before.conversation.length} of the conversation is lost: ${before.conversation[lost]}`;
  return null;
}

/** The lines of the log that tasks write. */
export function logOf(pod: Pod): string[] {
  try {
    return readFileSync(join(pod.files, 'log.txt'), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function saidIn(files: string): string[] {
  try {
    return conversationOf(files).map((line) => JSON.stringify(line));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A task that adds one line to the log, and writes some files that do not compress, with modes and links of their own. */
export function writing(nonce: string, kilobytes: number): string {
  return [
    `printf '%s\\n' ${nonce} >> log.txt`,
    `mkdir -p data/${nonce.slice(0, 2)} && head -c ${kilobytes * 1024} /dev/urandom > data/${nonce.slice(0, 2)}/blob`,
    `chmod 0${nonce.charCodeAt(0) % 2 ? '640' : '755'} data/${nonce.slice(0, 2)}/blob`,
    `ln -sfn data/${nonce.slice(0, 2)}/blob latest`,
    `echo wrote ${nonce}`,
  ].join('\n');
}

/** A task that adds its line and then does not end by itself. */
export function endless(nonce: string): string {
  return `printf '%s\\n' ${nonce} >> log.txt; echo begun; exec sleep 3000`;
}
