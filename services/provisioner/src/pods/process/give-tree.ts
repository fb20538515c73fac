import { lchown, lstat, readdir } from 'node:fs/promises';

/**
 * Gives a tree to a user. Where the top is the user's already, nothing is touched: then it was given before, and what is in it is that user's own
 * doing. Only while no process works in it. The top is given last, so that an interrupted run is done again.
 */
export async function giveTree(path: string, uid: number): Promise<void> {
  if ((await lstat(path)).uid === uid) return;
  await give(Buffer.from(path), uid);
}

/** Paths as bytes: a name that is no UTF-8 would not be found again. */
async function give(path: Buffer, uid: number): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
    const inner = Buffer.concat([path, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) await give(inner, uid);
    else await lchown(inner, uid, uid);
  }
  await lchown(path, uid, uid);
}
