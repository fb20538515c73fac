import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PodError } from '../pod-driver';
import type { PodDirectory } from './pod-directory';
import type { ProcessTable } from './process-table';
import { withLock } from './workspace-lock';

/** Both ends are part of it. */
export interface UserRange {
  readonly first: number;
  readonly last: number;
}

/** How many users there are for pods, and which is the first. Without a first one it is chosen by the name of the installation. */
export interface UserSettings {
  readonly first?: number | undefined;
  readonly count: number;
}

/** Below are users of programs, subordinate ones and those of systemd's containers, above those that systems keep for themselves. */
const FREE: UserRange = { first: 1_900_000_000, last: 2_147_000_000 };

/** Two installations on one machine have ranges of their own, so that neither takes the other's pods for its own. */
export function rangeOf({ first, count }: UserSettings, installation: string): UserRange {
  if (first !== undefined) return { first, last: first + count - 1 };
  const ranges = Math.floor((FREE.last - FREE.first) / count);
  const begin = FREE.first + count * (createHash('sha256').update(installation).digest().readUInt32BE(0) % ranges);
  return { first: begin, last: begin + count - 1 };
}

/**
 * The user that each workspace's pods run as. A workspace keeps its user for as long as it may: what its tasks left in shared directories stays its
 * own. No two workspaces have the same one; where the range is used up, a workspace without a pod gives its user away.
 */
export class PodUsers {
  constructor(
    private readonly directory: PodDirectory,
    private readonly table: ProcessTable,
    private readonly range: UserRange,
  ) {}

  /** Only under the workspace's lock. @throws PodError `quota_exceeded` where every user has a workspace with a pod */
  async of(workspaceId: string): Promise<number> {
    const kept = await this.directory.userOf(workspaceId);
    if (kept !== null && this.isInRange(kept) && (await this.directory.holderOfUser(kept)) === workspaceId) return kept;
    const known = await knownUsers();
    const running = new Set(await this.table.usersRunning());
    const taken = new Set(await this.directory.takenUsers());
    // Never one that the machine gives a meaning, nor one that something runs as.
    const candidates = [...this.candidates(workspaceId)].filter((uid) => !known.has(uid) && !running.has(uid));
    for (const uid of candidates.filter((each) => !taken.has(each))) {
      if (await this.directory.claimUser(uid, workspaceId)) return uid;
    }
    for (const uid of candidates) {
      if ((await this.isGivenUp(uid)) && (await this.directory.claimUser(uid, workspaceId))) return uid;
    }
    throw new PodError('quota_exceeded', `all users from ${this.range.first} to ${this.range.last} have workspaces; raise POD_USERS_COUNT`);
  }

  /** Whether the user was taken from a workspace that has no pod. */
  private async isGivenUp(uid: number): Promise<boolean> {
    const holder = await this.directory.holderOfUser(uid);
    if (holder === null) return true;
    const release = async (): Promise<boolean> => {
      const isUsed = (await this.directory.userOf(holder)) === uid && (await this.directory.pods(holder)).length > 0;
      if (!isUsed) await this.directory.releaseUser(uid, holder);
      return !isUsed;
    };
    return withLock(this.directory.lockOf(holder), this.table, 0, release).catch((error: unknown) => {
      if (error instanceof PodError && error.reason === 'locked') return false;
      throw error;
    });
  }

  private isInRange(uid: number): boolean {
    return uid >= this.range.first && uid <= this.range.last;
  }

  /** From a place that the workspace's name decides, so that two replicas rarely try the same one. */
  private *candidates(workspaceId: string): Generator<number> {
    const size = this.range.last - this.range.first + 1;
    const begin = createHash('sha256').update(workspaceId).digest().readUInt32BE(0) % size;
    for (let n = 0; n < size; n += 1) yield this.range.first + ((begin + n) % size);
  }
}

/** Users and groups that the machine's own files name. */
async function knownUsers(): Promise<Set<number>> {
  const lines = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readFile(file, 'utf8').catch(() => '')));
  return new Set(
    lines
      .join('\n')
      .split('\n')
      .map((line) => Number(line.split(':')[2] ?? Number.NaN))
      .filter(Number.isInteger),
  );
}
