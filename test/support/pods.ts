import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A pod that lives: its agent, as the machine sees it. */
export interface Pod {
  pid: number;
  workspaceId: string;
  generation: number;
  /** The workspace's files. */
  files: string;
}

/** The agents that run from this file, whatever the services believe. */
export function podsOf(agentPath: string): Pod[] {
  const found = agentsOf(agentPath);
  const workspaces = found.map(({ workspaceId }) => workspaceId);
  if (new Set(workspaces).size === workspaces.length) return found;
  // One look takes a while: the first may have ended before the second was begun. Two that are both still there were there at the same time.
  const still = new Set(agentsOf(agentPath).map(({ pid }) => pid));
  return found.filter(({ pid }) => still.has(pid));
}

function agentsOf(agentPath: string): Pod[] {
  const found = processes().flatMap((pid) => {
    if (!read(`/proc/${pid}/cmdline`).split('\0').includes(agentPath)) return [];
    const env = environmentOf(pid);
    const files = env.get('REPRISE_WORKSPACE_DIR');
    // What an agent in namespaces of its own is started by has no address.
    if (files === undefined || !env.has('REPRISE_ADDRESS_FILE') || env.get('REPRISE_TASK_ID') !== undefined) return [];
    const { isLeader, parent } = positionOf(pid);
    if (!isLeader) return [];
    return [{ pid, parent, workspaceId: env.get('REPRISE_WORKSPACE_ID') ?? '', generation: Number(env.get('REPRISE_GENERATION')), files }];
  });
  // A task, in the moment between fork and exec, is its agent to the letter, but for being its child.
  const agents = new Set(found.map(({ pid }) => pid));
  return found.filter(({ parent }) => !agents.has(parent)).map(({ parent: _parent, ...pod }) => pod);
}

/** Every process of a pod: its agent, its tasks and what these have started. */
export function processesOf({ workspaceId, generation }: Pick<Pod, 'workspaceId' | 'generation'>): number[] {
  return processes().filter((pid) => environmentOf(pid).get('REPRISE_POD')?.endsWith(`/${workspaceId}/${generation}`));
}

/** Ends at once every pod of a folder, with whatever its tasks have started. */
export function endAllOf(podsDir: string): void {
  for (const pid of processes()) {
    // Every process of a pod has its home in there.
    if (!environmentOf(pid).get('HOME')?.startsWith(`${podsDir}/`)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has gone meanwhile.
    }
  }
}

/** Watches how many pods a workspace has at the same time, all the while. */
export class PodWatch {
  private most = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly agentPath: string,
    private readonly workspaceId: string,
  ) {
    this.look();
    this.timer = setInterval(() => this.look(), 40).unref();
  }

  /** @returns the most that were seen at once */
  end(): number {
    this.look();
    clearInterval(this.timer);
    return this.most;
  }

  private look(): void {
    this.most = Math.max(this.most, podsOf(this.agentPath).filter(({ workspaceId }) => workspaceId === this.workspaceId).length);
  }
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Whose child a process is, and whether it leads its session, as every agent does; one that has gone meanwhile does not. */
function positionOf(pid: number): { isLeader: boolean; parent: number } {
  const stat = statOf(pid);
  return { isLeader: stat[3] === String(pid), parent: Number(stat[1]) };
}

/** State, parent, group, session and the rest: what the kernel tells of a process behind its name, which may hold anything. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function environmentOf(pid: number): Map<string, string> {
  const entries = read(`/proc/${pid}/environ`).split('\0');
  return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

/** Empty where the process has gone meanwhile, or is a zombie. */
function read(path: string): string {
  try {
    return readFileSync(join(path), 'utf8');
  } catch {
    return '';
  }
}
