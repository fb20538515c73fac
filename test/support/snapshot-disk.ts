import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** What is left free on a full disk: enough for folders and small files. */
const LEFT_BYTES = 256 * 1024;

/**
 * The disk that snapshots are kept on. Where this process may mount, it is a real one that can be filled up; elsewhere its folder is taken
 * away meanwhile, which no privilege gets round.
 */
export class SnapshotDisk {
  private mounted = false;
  private aside: string | null = null;

  /** @param size of the disk, where it is one, as mount takes it */
  constructor(
    private readonly directory: string,
    private readonly size = '64m',
  ) {}

  /** To be called before anything is kept there. */
  async mount(): Promise<void> {
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${this.size}`, 'tmpfs', this.directory]);
      this.mounted = true;
    } catch {
      // Not allowed here.
    }
  }

  /** From now on no snapshot of some hundred kilobytes or more can be saved. */
  fillUp(): void {
    if (this.mounted) return this.writeFiller();
    this.aside = `${this.directory}.aside`;
    renameSync(this.directory, this.aside);
    writeFileSync(this.directory, 'not a directory');
  }

  makeRoom(): void {
    rmSync(this.filler, { force: true });
    if (this.aside === null) return;
    rmSync(this.directory);
    renameSync(this.aside, this.directory);
    this.aside = null;
  }

  /** Also one that was mounted by a process which is no more. */
  async unmount(): Promise<void> {
    const mounts = existsSync('/proc/self/mounts') ? readFileSync('/proc/self/mounts', 'utf8') : '';
    const mounted = this.mounted || mounts.includes(` ${this.directory} `);
    if (mounted) await run('umount', ['--lazy', this.directory]);
    this.mounted = false;
  }

  private get filler(): string {
    return join(this.directory, '.filler');
  }

  private writeFiller(): void {
    const { bavail, bsize } = statfsSync(this.directory);
    const file = openSync(this.filler, 'w');
    writeSync(file, Buffer.alloc(Math.max(0, bavail * bsize - LEFT_BYTES)));
    closeSync(file);
  }
}
