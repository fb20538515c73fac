import { execFile } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const [SMALL, LARGE] = ['1m', '256m'];

/**
 * The disk that snapshots are kept on. Where this process may mount, it is a real one that is too small until `grow`; elsewhere its folder is
 * taken away meanwhile, which no privilege gets round.
 */
export class SnapshotDisk {
  private mounted = false;
  private aside: string | null = null;

  constructor(private readonly directory: string) {}

  /** To be called before anything is kept there. @returns whether it is a real disk that can be full */
  async mount(): Promise<boolean> {
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${LARGE}`, 'tmpfs', this.directory]);
      this.mounted = true;
    } catch {
      // Not allowed here.
    }
    return this.mounted;
  }

  /** From now on nothing larger than some hundred kilobytes can be saved. */
  async shrink(): Promise<void> {
    if (this.mounted) return this.resize(SMALL);
    this.aside = `${this.directory}.aside`;
    renameSync(this.directory, this.aside);
    writeFileSync(this.directory, 'not a directory');
  }

  async grow(): Promise<void> {
    if (this.mounted) return this.resize(LARGE);
    if (this.aside === null) return;
    rmSync(this.directory);
    renameSync(this.aside, this.directory);
    this.aside = null;
  }

  async unmount(): Promise<void> {
    if (this.mounted) await run('umount', ['--lazy', this.directory]);
  }

  private async resize(size: string): Promise<void> {
    await run('mount', ['-o', `remount,size=${size}`, this.directory]);
  }
}
