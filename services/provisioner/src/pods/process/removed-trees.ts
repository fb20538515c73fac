import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { namesIn } from './pod-directory';
import { removeTree } from './remove-tree';

/** Time for whoever had it moved to go on: a restart that has just torn down is making files by then, on the same disk. */
const DELETED_AFTER_MS = 2_000;
/** When so many wait, whoever brings another one waits, too: more must not come than go. */
const MOST_WAITING = 100;

/**
 * Trees that are to go. What was moved here is gone for everybody else, at once; deleting it takes as long as it has files. What is still here when
 * the process ends is deleted by the next one: all that share the folder delete whatever is in it.
 */
export class RemovedTrees {
  private waiting = 0;
  private timer: NodeJS.Timeout | null = null;
  private deleting: Promise<void> | null = null;

  /**
   * @param folder on the same file system as what is brought here
   * @param failed hears why something could not be deleted; it is tried again whenever `deleteSoon` is called
   */
  constructor(
    private readonly folder: string,
    private readonly failed: (reason: NodeJS.ErrnoException) => void,
    private readonly deletedAfterMs = DELETED_AFTER_MS,
  ) {}

  /** Resolves once there is nothing at this path any more, whether there was or not. @throws Error of the file system */
  async remove(path: string): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await rename(path, join(this.folder, `${basename(dirname(path))}.${basename(path)}.${randomUUID()}`));
    } catch {
      // Another file system, a mode that forbids it, no space for a name, nothing there: then here and now.
      return removeTree(path);
    }
    this.waiting += 1;
    if (this.waiting >= MOST_WAITING) await this.deleteAll();
    else this.deleteSoon();
  }

  /** Has all deleted that is here, also what others left. It keeps no process alive. */
  deleteSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.deleteAll();
    }, this.deletedAfterMs).unref();
  }

  private async deleteAll(): Promise<void> {
    this.deleting ??= this.deleteEach().finally(() => (this.deleting = null));
    return this.deleting;
  }

  private async deleteEach(): Promise<void> {
    const tried = new Set<string>();
    for (;;) {
      this.waiting = 0;
      // Again until nothing has come meanwhile.
      const names = (await this.all()).filter((name) => !tried.has(name));
      if (names.length === 0) return;
      for (const name of names) {
        tried.add(name);
        await removeTree(join(this.folder, name)).catch(this.failed);
      }
    }
  }

  private async all(): Promise<string[]> {
    return namesIn(this.folder).catch((error: NodeJS.ErrnoException) => {
      this.failed(error);
      return [];
    });
  }
}
