import { mkdir, open, readdir, readFile, rename, rm, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodIdentity } from '../pod-driver';

/** A process of this machine, also after it and its pid are gone. */
export interface ProcessRecord {
  readonly pid: number;
  readonly start: string;
}

/**
 * What the driver keeps on disk:
 * `<workspace>/generation`                   the newest generation ever created: the fence. Stays for good.
 * `<workspace>/lock/`                        who works at this workspace's pods
 * `<workspace>/<generation>/workspace/`      the workspace's files
 * `<workspace>/<generation>/agent.json`      written by the agent once it listens: pid and port
 * `<workspace>/<generation>/agent.log`       what the agent prints
 * `<workspace>/<generation>/process.json`    written by the driver: the agent's pid and start time
 * `.removed/<workspace>.<generation>.<uuid>` what was a pod's directory, until it is deleted
 */
export class PodDirectory {
  constructor(private readonly root: string) {}

  of(pod: PodIdentity): string {
    return join(this.root, pod.workspaceId, String(pod.generation));
  }

  get removed(): string {
    return join(this.root, '.removed');
  }

  workspaceOf(pod: PodIdentity): string {
    return join(this.of(pod), 'workspace');
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
    return workspaceId && generation && /^[1-9][0-9]*$/.test(generation) ? { workspaceId, generation: Number(generation) } : null;
  }

  /** Every pod that has a directory, of one workspace or of all. */
  async pods(workspaceId?: string): Promise<PodIdentity[]> {
    const workspaces = workspaceId === undefined ? await namesIn(this.root) : [workspaceId];
    const pods = await Promise.all(
      workspaces.map(async (workspace) =>
        (await namesIn(join(this.root, workspace))).flatMap((name) => this.podAt(join(this.root, workspace, name)) ?? []),
      ),
    );
    return pods.flat();
  }

  async exists(pod: PodIdentity): Promise<boolean> {
    return lstat(this.of(pod)).then(
      () => true,
      () => false,
    );
  }

  /** The newest generation ever created of this workspace; 0 where there was none. */
  async newestGeneration(workspaceId: string): Promise<number> {
    const text = await readIfThere(join(this.root, workspaceId, 'generation'));
    return text === null ? 0 : Number.parseInt(text, 10);
  }

  /** Raises the fence; durable once it resolves. Only under the workspace's lock. */
  async raiseGeneration(pod: PodIdentity): Promise<void> {
    const directory = join(this.root, pod.workspaceId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(join(directory, 'generation'), `${pod.generation}\n`);
    await sync(directory);
  }

  /** Makes the pod's directory, and forgets an agent that ran there before. */
  async prepare(pod: PodIdentity): Promise<void> {
    await mkdir(this.workspaceOf(pod), { recursive: true, mode: 0o700 });
    await rm(this.addressFileOf(pod), { force: true });
    await rm(this.processFileOf(pod), { force: true });
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

  private processFileOf(pod: PodIdentity): string {
    return join(this.of(pod), 'process.json');
  }
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

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
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

async function writeWhole(path: string, text: string): Promise<void> {
  const aside = `${path}.new`;
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
}

async function sync(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
