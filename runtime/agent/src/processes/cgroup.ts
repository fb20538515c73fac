import { readFileSync } from 'node:fs';
import { Cursor } from '../files/cursor';
import { Directory, openUp, openUpSelf, statAt } from '../files/directory';
import type { RawPath } from '../files/raw-path';
import { codeOf } from '../log';

/** What is said of one that was removed meanwhile. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENODEV']);
const PROCESSES: RawPath = 'cgroup.procs';

/**
 * Every process in this directory of cgroup v2 and in those below it, at any depth and whatever their modes are: what runs in the pod may make such. None
 * where it is gone.
 */
export function pidsIn(cgroup: string): number[] {
  const root = unlessGone(() => Directory.open(cgroup));
  if (!root) return [];
  const cursor = new Cursor(root);
  const found: number[] = [];
  const look = (): RawPath[] => {
    openUpSelf(cursor.here, 0o700);
    for (const pid of listedIn(cursor.here)) found.push(pid);
    return cursor.here.names().filter((name) => statAt(cursor.here, name)?.isDirectory());
  };
  try {
    const levels = [unlessGone(look) ?? []];
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const name = level.pop();
      if (name === undefined) {
        levels.pop();
        if (levels.length > 0) cursor.leave();
      } else if (unlessGone(() => cursor.enter(name) ?? true)) {
        levels.push(unlessGone(look) ?? []);
      }
    }
    return found;
  } finally {
    cursor.close();
    root.close();
  }
}

function listedIn(directory: Directory): number[] {
  const stat = statAt(directory, PROCESSES);
  if (stat === null) return [];
  const close = openUp(directory, PROCESSES, stat, 0o400);
  try {
    return readFileSync(directory.at(PROCESSES), 'latin1').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    // One of threads: their processes are listed above it.
    if (codeOf(error) === 'EOPNOTSUPP') return [];
    throw error;
  } finally {
    close();
  }
}

function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (GONE.has(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
