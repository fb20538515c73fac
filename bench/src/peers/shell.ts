import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../ground/launcher';

const AGENT = join(ROOT, 'runtime/agent/dist/agent.js');

/** What a shell does by hand, in a folder of its own. Everything resolves with milliseconds. */
export class Shell {
  constructor(
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Beginning from a running agent, the first time with a copy of these files. */
  async byHand(files: string): Promise<{ restart: number; resume: number }> {
    const [restart = NaN, resume = NaN] = await this.run('by-hand.sh', [AGENT, files, this.folder]);
    return { restart, resume };
  }

  async packed(files: string): Promise<number> {
    this.clear();
    return this.runOne('pipe.sh', ['out', files, this.folder]);
  }

  /** What `packed` has packed. */
  async unpacked(files: string): Promise<number> {
    return this.runOne('pipe.sh', ['back', files, this.folder]);
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  private async runOne(script: string, args: string[]): Promise<number> {
    const [ms = NaN] = await this.run(script, args);
    return ms;
  }

  private async run(script: string, args: string[]): Promise<number[]> {
    const { stdout } = await promisify(execFile)('sh', [join(ROOT, 'bench/shell', script), ...args], { signal: this.signal });
    return stdout.trim().split(' ').map(Number);
  }
}
