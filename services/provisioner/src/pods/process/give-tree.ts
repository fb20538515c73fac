import { lchownSync, lstatSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { walkTree } from './walk-tree';

/**
 * Gives a tree of any depth to a user. Where the top is the user's already, nothing is touched: then it was given before, and what is in it is that user's
 * own doing. Only while no process works in it. The top is given last, so that an interrupted run is done again.
 */
export async function giveTree(path: string, uid: number): Promise<void> {
  if ((await lstat(path)).uid === uid) return;
  const give = (it: Buffer): void => lchownSync(it, uid, uid);
  const visit = (it: Buffer): boolean => {
    if (lstatSync(it).isDirectory()) return false;
    give(it);
    return true;
  };
  await walkTree(path, { visit, leave: give });
}
