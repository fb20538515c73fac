import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodIdentity } from '../pod-driver';
import { moveDirectory, readIfThere, sync, writeWhole } from './durable-files';

/** A process of this machine, also after it and its pid are gone. */
export interface ProcessRecord {
  readonly pid: number;
  readonly start: string;
}

const GENERATION = /^[1-9][0-9]*$/;

/**
 * What the driver keeps on disk:
 * `<workspace>/generation`                   the newest generation ever created: the fence. Stays for good.
 * `<workspace>/lock/`                        who works at this workspace's pods
 * `<workspace>/workspace/`                   the workspace's files: at the same path in every generation, because virtual environments and
 *                                            build directories hold absolute paths
 * `<workspace>/files-of`                     the generation whose files these are; written before the directory is made
 * `<workspace>/<generation>/agent.json`      written by the agent once it listens: pid and port
 * `<workspace>/<generation>/agent.log`       what the agent prints
 * `<workspace>/<generation>/process.json`    written by the driver: the agent's pid and start time
 * `<workspace>/<generation>/workspace/`      files of a generation that had to make room for a newer one, or that an older version made
 * `.removed/<workspace>.<generation>.<uuid>` what was a pod's directory, until it is deleted
 *
 * A generation's files are in its own directory if they are there, and otherwise in the common one if `files-of` names it. Both
 * are moved by a rename, so after a crash at any point they are in one place.
 */
export class PodDirectory {
  constructor(private readonly root: string) {}

  of(pod: PodIdentity): string {
    return join(this.root, pod.workspaceId, String(pod.generation));
  }

  get removed(): string {
    return join(this.root, '.removed');
  }

  /** Where the agent of every generation of this workspace has the files. */
  workspaceOf({ workspaceId }: Pick<PodIdentity, 'workspaceId'>): string {
    return join(this.root, workspaceId, 'workspace');
  }

  /** Where the files of this pod are now; null where it has none. */
  async filesOf(pod: PodIdentity): Promise<string | null> {
    const aside = this.asideOf(pod);
    if (await isThere(aside)) return aside;
    const common = this.workspaceOf(pod);
    return (await this.holderOf(pod.workspaceId)) === pod.generation && (await isThere(common)) ? common : null;
  }

  addressFileOf(pod: PodIdentity): string {
    return join(this.of(pod), 'agent.json');
  }

  logFileOf(pod: PodIdentity): string {
    return join(this.of(pod), 'agent.log');
  }

  lockOf(workspaceId: string): string {
    return join(this.root, workspaceId, 'lock');
  }

  /** The pod that this path belongs to, or null where it is not one of this directory's. */
  podAt(path: string): PodIdentity | null {
    if (!path.startsWith(`${this.root}/`)) return null;
    const [workspaceId, generation] = path.slice(this.root.length + 1).split('/');
    return workspaceId && generation && GENERATION.test(generation) ? { workspaceId, generation: Number(generation) } : null;
  }

  /** Every pod that has a directory, of one workspace or of all. */
  async pods(workspaceId?: string): Promise<PodIdentity[]> {
    const workspaces = workspaceId === undefined ? await namesIn(this.root) : [workspaceId];
    return (await Promise.all(workspaces.map((workspace) => this.podsOf(workspace)))).flat();
  }

  async exists(pod: PodIdentity): Promise<boolean> {
    return (await isThere(this.of(pod))) || (await this.filesOf(pod)) !== null;
  }

  /** The newest generation ever created of this workspace; 0 where there was none. */
  async newestGeneration(workspaceId: string): Promise<number> {
    return (await this.numberIn(join(this.root, workspaceId, 'generation'))) ?? 0;
  }

  /** Raises the fence; durable once it resolves. Only under the workspace's lock. */
  async raiseGeneration(pod: PodIdentity): Promise<void> {
    const directory = join(this.root, pod.workspaceId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(join(directory, 'generation'), `${pod.generation}\n`);
    await sync(directory);
  }

  /**
   * Makes the pod's directory, and forgets an agent that ran there before. Files of another generation make room: they stay with that
   * generation until it is removed. Only under the workspace's lock, and only where no process of another generation lives.
   */
  async prepare(pod: PodIdentity): Promise<void> {
    await mkdir(this.of(pod), { recursive: true, mode: 0o700 });
    await rm(this.addressFileOf(pod), { force: true });
    await rm(this.processFileOf(pod), { force: true });
    const common = this.workspaceOf(pod);
    const holder = await this.holderOf(pod.workspaceId);
    if (holder !== pod.generation) {
      if (holder !== null) await this.setAside({ ...pod, generation: holder });
      await writeWhole(this.holderFileOf(pod.workspaceId), `${pod.generation}\n`);
      await sync(join(this.root, pod.workspaceId));
    }
    if (await isThere(this.asideOf(pod))) await moveDirectory(this.asideOf(pod), common);
    await mkdir(common, { recursive: true, mode: 0o700 });
  }

  /** Moves the pod's files into its own directory, which holds everything of it then. Only under the workspace's lock. */
  async setAside(pod: PodIdentity): Promise<void> {
    const files = await this.filesOf(pod);
    if (files === null || files === this.asideOf(pod)) return;
    await mkdir(this.of(pod), { recursive: true, mode: 0o700 });
    await moveDirectory(files, this.asideOf(pod));
  }

  async recordProcess(pod: PodIdentity, record: ProcessRecord): Promise<void> {
    await writeWhole(this.processFileOf(pod), `${JSON.stringify(record)}\n`);
  }

  async recordedProcess(pod: PodIdentity): Promise<ProcessRecord | null> {
    return (await readJson(this.processFileOf(pod))) as ProcessRecord | null;
  }

  async address(pod: PodIdentity): Promise<{ pid: number; port: number } | null> {
    return (await readJson(this.addressFileOf(pod))) as { pid: number; port: number } | null;
  }

  private async podsOf(workspaceId: string): Promise<PodIdentity[]> {
    const names = await namesIn(join(this.root, workspaceId));
    const generations = new Set(names.filter((name) => GENERATION.test(name)).map(Number));
    // One whose own directory was lost still has its files.
    const holder = names.includes('workspace') ? await this.holderOf(workspaceId) : null;
    if (holder !== null) generations.add(holder);
    return [...generations].map((generation) => ({ workspaceId, generation }));
  }

  /** The generation whose files the common directory holds, if it holds any. */
  private async holderOf(workspaceId: string): Promise<number | null> {
    return this.numberIn(this.holderFileOf(workspaceId));
  }

  private async numberIn(path: string): Promise<number | null> {
    const text = await readIfThere(path);
    return text === null ? null : Number.parseInt(text, 10);
  }

  private holderFileOf(workspaceId: string): string {
    return join(this.root, workspaceId, 'files-of');
  }

  private asideOf(pod: PodIdentity): string {
    return join(this.of(pod), 'workspace');
  }

  private processFileOf(pod: PodIdentity): string {
    return join(this.of(pod), 'process.json');
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}

/** None where there is no such directory. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = await readIfThere(path);
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
