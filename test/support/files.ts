import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, utimesSync, writeFileSync, chmodSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** The pod's own folder in a workspace: its conversation goes on with every pod, so it is compared apart. */
const OWN = '.reprise';

/** What there is in a workspace, by path: kind, mode, time of change (microseconds, which is as fine as Node sets it), and the content's SHA-256 or the link's target. */
export type Tree = Record<string, { kind: 'file' | 'directory' | 'link'; mode: string; mtime: string; content: string | null }>;

/** Reads a workspace whole, but for the pod's own folder. Two trees that are equal hold the same state. */
export function treeOf(root: string): Tree {
  const tree: Tree = {};
  const visit = (path: string): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const inner = path === '' ? name : `${path}/${name}`;
      if (inner === OWN) continue;
      const stat = lstatSync(join(root, inner), { bigint: true });
      const common = { mode: (Number(stat.mode) & 0o7777).toString(8), mtime: String(stat.mtimeNs / 1000n) };
      if (stat.isDirectory()) {
        tree[inner] = { kind: 'directory', ...common, content: null };
        visit(inner);
      } else if (stat.isSymbolicLink()) {
        tree[inner] = { kind: 'link', ...common, content: readlinkSync(join(root, inner)) };
      } else {
        tree[inner] = { kind: 'file', ...common, content: sha256(readFileSync(join(root, inner))) };
      }
    }
  };
  visit('');
  return tree;
}

/** The conversation as it stands in a workspace: one object a line. */
export function conversationOf(root: string): Record<string, unknown>[] {
  const text = readFileSync(join(root, OWN, 'conversation.ndjson'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/**
 * Puts into a workspace what is easily lost on the way: modes, old times, links that dangle, empty directories, odd names, an empty file, and
 * so many megabytes that do not compress.
 */
export function fill(root: string, { megabytes = 4 } = {}): void {
  mkdirSync(join(root, 'src/deep/er'), { recursive: true });
  mkdirSync(join(root, 'empty/inner'), { recursive: true });
  mkdirSync(join(root, 'locked'));
  writeFileSync(join(root, 'src/run.sh'), '#!/bin/sh\necho run\n');
  chmodSync(join(root, 'src/run.sh'), 0o755);
  writeFileSync(join(root, 'src/secret.txt'), 'for my eyes only\n');
  chmodSync(join(root, 'src/secret.txt'), 0o600);
  writeFileSync(join(root, 'locked/kept.txt'), 'kept\n');
  chmodSync(join(root, 'locked/kept.txt'), 0o444);
  writeFileSync(join(root, 'src/deep/er/nothing'), '');
  writeFileSync(join(root, 'ünïcode – ☃ name.txt'), 'ünïcode\n');
  writeFileSync(join(root, `${'long-'.repeat(40)}name`), 'longer than a tar header\n');
  writeFileSync(join(root, 'random.bin'), randomBytes(Math.round(megabytes * 1024 * 1024)));
  symlinkSync('src/run.sh', join(root, 'link-to-file'));
  symlinkSync('../nowhere/at all', join(root, 'src/dangling'));
  symlinkSync('/etc/hostname', join(root, 'link-out'));
  utimesSync(join(root, 'src/run.sh'), new Date('2001-02-03T04:05:06.789Z'), new Date('2001-02-03T04:05:06.789Z'));
  chmodSync(join(root, 'locked'), 0o555);
  utimesSync(join(root, 'empty/inner'), new Date('2011-11-11T11:11:11Z'), new Date('2011-11-11T11:11:11Z'));
  // As if tasks had made it: a pod may have a user of its own.
  if (process.geteuid?.() === 0) execFileSync('chown', ['--recursive', '--no-dereference', '--reference', root, '--', root]);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
