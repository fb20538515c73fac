import { lstatSync } from 'node:fs';
import { chmod, link, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { markOf } from '../agent-environment';
import type { PodIdentity } from '../pod-driver';
import { moveDirectory, readIfThere, readSmall, sync, writeWhole } from './durable-files';
import { giveTree } from './give-tree';
import { nameOf } from './directory-name';
import type { Isolation } from './isolation-kinds';
import { removeTree } from './remove-tree';

/** A process of this machine, also after it and its pid are gone. */
export interface ProcessRecord {
  readonly pid: number;
  readonly start: string;
  /** With namespaces of its own: what made them, and the first process within. Everything in them ends with these. */
  readonly outer?: readonly ProcessRecord[];
}

/** Others may pass, and neither list nor read. */
const PASS = 0o711;
const GENERATION = /^[1-9][0-9]*$/;

/**
 * What the driver keeps on disk:
 * `<workspace>/generation`                   the newest generation ever created: the fence. Stays for good.
 * `<workspace>/lock/`                        who works at this workspace's pods
 * `<workspace>/workspace/`                   the workspace's files: at the same path in every generation, because virtual environments and
 *                                            build directories hold absolute paths
 * `<workspace>/files-of`                     the generation whose files these are; written before the directory is made
 * `<workspace>/user`                         the user that its pods run as, where each pod has one
 * `<workspace>/<generation>/agent.log`       what the agent prints
 * `<workspace>/<generation>/process.json`    written by the driver: the agent's pid and start time, and those of what its namespaces end with
 * `<workspace>/<generation>/isolation.json`  written by the driver before the agent is started: how its processes are told from others
 * `<workspace>/<generation>/told/agent.json` written by the agent once it listens: pid and port. All else in its directory is closed to it
 * `<workspace>/<generation>/workspace/`      files of a generation that had to make room for a newer one, or that an older version made
 * `.removed/<workspace>.<generation>.<uuid>` what was a pod's directory, until it is deleted
 * `.users/<uid>`                             the workspace that has this user
 * `.installation`                            a name for this directory, made at random: another installation on the same machine, with the same
 *                                            workspaces where both were restored from one backup, has another
 *
 * A generation's files are in its own directory if they are there, and otherwise in the common one if `files-of` names it. Both
 * are moved by a rename, so after a crash at any point they are in one place.
 */
export class PodDirectory {
  private installation: Promise<string> | undefined;

  constructor(private readonly root: string) {}

  get path(): string {
    return this.root;
  }

  async makeRoot(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
  }

  /** The name that this directory has for good. */
  name(): Promise<string> {
    return (this.installation ??= nameOf(this.root).catch((error: unknown) => {
      this.installation = undefined;
      throw error;
    }));
  }

  /** The mark that the pod's processes inherit. */
  async markOf(pod: PodIdentity): Promise<string> {
    const told = (await readJson(this.isolationFileOf(pod))) as { mark?: string } | null;
    // A pod that an older version made has the mark of its name alone.
    return told === null ? `${await this.name()}/${markOf(pod)}` : (told.mark ?? markOf(pod));
  }

  /** So that the users of pods reach their own directories. Nothing in here can be listed or read by them. */
  async letOthersPass(): Promise<void> {
    const { mode, uid } = await lstat(this.root);
    if ((mode & 0o777) === PASS || uid !== process.geteuid?.()) return;
    await chmod(this.root, PASS);
  }

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
    return join(this.of(pod), 'told', 'agent.json');
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
    const workspaces = workspaceId === undefined ? (await namesIn(this.root)).filter((name) => !name.startsWith('.')) : [workspaceId];
    return (await Promise.all(workspaces.map((workspace) => this.podsOf(workspace)))).flat();
  }

  async exists(pod: PodIdentity): Promise<boolean> {
    return (await isThere(this.of(pod))) || (await this.filesOf(pod)) !== null;
  }

  /** The newest generation ever created of this workspace; 0 where there was none. */
  async newestGeneration(workspaceId: string): Promise<number> {
    return (await this.numberIn(join(this.root, workspaceId, 'generation'))) ?? 0;
  }

  /** Of every workspace that ever had a pod. */
  async newestGenerations(): Promise<PodIdentity[]> {
    const found: PodIdentity[] = [];
    for (const workspaceId of (await namesIn(this.root)).filter((name) => !name.startsWith('.'))) {
      const generation = await this.newestGeneration(workspaceId);
      if (generation > 0) found.push({ workspaceId, generation });
    }
    return found;
  }

  /** Raises the fence; durable once it resolves. Only under the workspace's lock. */
  async raiseGeneration(pod: PodIdentity): Promise<void> {
    const directory = join(this.root, pod.workspaceId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(join(directory, 'generation'), `${pod.generation}\n`);
    await sync(directory);
  }

  /** The user that this workspace's pods run as, if they have one. */
  async userOf(workspaceId: string): Promise<number | null> {
    return this.numberIn(this.userFileOf(workspaceId));
  }

  async takenUsers(): Promise<number[]> {
    return (await namesIn(this.users)).map(Number);
  }

  async holderOfUser(uid: number): Promise<string | null> {
    return (await readIfThere(join(this.users, String(uid))))?.trim() ?? null;
  }

  /** False where another workspace has it. Only under the workspace's lock. */
  async claimUser(uid: number, workspaceId: string): Promise<boolean> {
    await mkdir(this.users, { recursive: true, mode: 0o700 });
    const claim = join(this.users, `${workspaceId}.claim`);
    await writeWhole(claim, `${workspaceId}\n`);
    try {
      // Fails where it is taken, whoever comes at the same time.
      await link(claim, join(this.users, String(uid)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if ((await this.holderOfUser(uid)) !== workspaceId) return false;
    } finally {
      await rm(claim, { force: true });
    }
    await sync(this.users);
    await writeWhole(this.userFileOf(workspaceId), `${uid}\n`);
    return true;
  }

  /** Only under the lock of the workspace that has it. */
  async releaseUser(uid: number, workspaceId: string): Promise<void> {
    if ((await this.userOf(workspaceId)) === uid) await rm(this.userFileOf(workspaceId), { force: true });
    if ((await this.holderOfUser(uid)) === workspaceId) await rm(join(this.users, String(uid)), { force: true });
  }

  /**
   * Makes the pod's directory, and forgets an agent that ran there before. Files of another generation make room: they stay with that
   * generation until it is removed. Only under the workspace's lock, and only where no process of another generation lives.
   */
  async prepare(pod: PodIdentity, isolation: Isolation): Promise<void> {
    const own = this.of(pod);
    const told = join(own, 'told');
    await mkdir(own, { recursive: true, mode: 0o700 });
    // Tasks may write there, and leave a tree of any depth.
    for (const path of [told, this.oldAddressFileOf(pod), this.processFileOf(pod)]) await removeTree(path);
    const mark = `${await this.name()}/${markOf(pod)}`;
    await writeWhole(this.isolationFileOf(pod), `${JSON.stringify({ ...isolation, mark })}\n`);
    await mkdir(told, { mode: 0o700 });
    const common = this.workspaceOf(pod);
    const holder = await this.holderOf(pod.workspaceId);
    if (holder !== pod.generation) {
      if (holder !== null) await this.setAside({ ...pod, generation: holder });
      await writeWhole(this.holderFileOf(pod.workspaceId), `${pod.generation}\n`);
      await sync(join(this.root, pod.workspaceId));
    }
    if (await isThere(this.asideOf(pod))) await moveDirectory(this.asideOf(pod), common);
    await mkdir(common, { recursive: true, mode: 0o700 });
    if (isolation.by !== 'user') return;
    for (const directory of [join(this.root, pod.workspaceId), own]) await chmod(directory, PASS);
    for (const directory of [told, common]) await giveTree(directory, isolation.uid);
  }

  /** How the pod's processes are told from others. */
  async isolationOf(pod: PodIdentity): Promise<Isolation> {
    const told = (await readJson(this.isolationFileOf(pod))) as Isolation | null;
    if (told !== null) return told;
    // One whose directory was lost and that no newer one came after. Otherwise an older version made it, which knew no other.
    const isLost = !(await isThere(this.of(pod))) && (await this.newestGeneration(pod.workspaceId)) === pod.generation;
    const uid = isLost ? await this.userOf(pod.workspaceId) : null;
    return uid === null ? { by: 'environment' } : { by: 'user', uid };
  }

  /** Nothing runs of this pod any more: what its user runs from now on is a newer one's. */
  async forgetUser(pod: PodIdentity): Promise<void> {
    if ((await this.isolationOf(pod)).by !== 'user' || !(await isThere(this.of(pod)))) return;
    const mark = await this.markOf(pod);
    await writeWhole(this.isolationFileOf(pod), `${JSON.stringify({ by: 'environment', mark })}\n`);
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

  /** Whether the agent may have told its address. */
  hasAddress(pod: PodIdentity): boolean {
    return [this.addressFileOf(pod), this.oldAddressFileOf(pod)].some((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  }

  async address(pod: PodIdentity): Promise<{ pid: number; port: number } | null> {
    // The agent writes it, and tasks may: it can be anything.
    const told = parsed((await readSmall(this.addressFileOf(pod))) ?? (await readSmall(this.oldAddressFileOf(pod))));
    const { pid, port } = (told ?? {}) as { pid?: unknown; port?: unknown };
    const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536;
    return typeof pid === 'number' && isPort ? { pid, port } : null;
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

  private get users(): string {
    return join(this.root, '.users');
  }

  private userFileOf(workspaceId: string): string {
    return join(this.root, workspaceId, 'user');
  }

  private isolationFileOf(pod: PodIdentity): string {
    return join(this.of(pod), 'isolation.json');
  }

  private oldAddressFileOf(pod: PodIdentity): string {
    return join(this.of(pod), 'agent.json');
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
  return parsed(await readIfThere(path));
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
