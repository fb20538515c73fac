import { execFile } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Broker } from '../ground/broker';
import type { Database } from '../ground/database';
import { ROOT } from '../ground/launcher';

/** What the figures were measured on; nothing that tells whose machine it is. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  readonly postgres: string;
  readonly rabbitmq: string;
  /** The commit that was measured, with a `+` where files differed from it; null outside of a checkout. */
  readonly commit: string | null;
  /** Processes that wanted to run before anything of ours did, as the kernel's average of a minute. */
  readonly loadAtStart: number;
  readonly startedAt: string;
}

/** What can only be told before anything is begun: a run takes long, and the checkout may be another one in the end. */
export type AtStart = Pick<Machine, 'commit' | 'loadAtStart' | 'startedAt'>;

export async function atStart(): Promise<AtStart> {
  return { loadAtStart: loadavg()[0] ?? 0, startedAt: new Date().toISOString(), commit: await commit() };
}

export async function machineOf(start: AtStart, database: Database, broker: Broker): Promise<Machine> {
  const { server_version: postgres } = await database.row<{ server_version: string }>('SHOW server_version');
  const processors = cpus();
  return {
    cores: processors.length,
    processor: processors[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
    postgres,
    rabbitmq: broker.version,
    ...start,
  };
}

async function commit(): Promise<string | null> {
  try {
    const git = async (...args: string[]): Promise<string> => (await promisify(execFile)('git', args, { cwd: ROOT })).stdout.trim();
    const changed = await git('status', '--porcelain', '--untracked-files=no');
    return `${await git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}
