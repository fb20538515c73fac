import type { BigIntStats } from 'node:fs';
import { statfs, type FileHandle } from 'node:fs/promises';

/**
 * File systems that count a file's blocks as it is written: no block, no content. Others may count late, or not at all, and a file's content would
 * be taken for a hole. By their numbers in statfs(2): ext2 to ext4, XFS, btrfs, tmpfs.
 */
const COUNTING: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994]);

/** Whether the file is one hole, so that it need not be read. Node does not tell where the holes of other files are. */
export async function hasNoBlocks(file: FileHandle, stat: BigIntStats): Promise<boolean> {
  if (stat.size === 0n || stat.blocks > 0n) return false;
  return COUNTING.has((await statfs(`/proc/self/fd/${file.fd}`)).type);
}
