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
  const found = processes().flatMap((pid) => {
    if (!read(`/proc/${pid}/cmdline`).split('\0').includes(agentPath)) return [];
    const env = environmentOf(pid);
    const directory = env.get('REPRISE_WORKSPACE_DIR');
    if (directory === undefined || env.get('REPRISE_TASK_ID') !== undefined || !isLeader(pid)) return [];
    return [
      { pid, workspaceId: env.get('REPRISE_WORKSPACE_ID') ?? '', generation: Number(env.get('REPRISE_GENERATION')), files: directory },
    ];
  });
  // A task, in the moment between fork and exec, is its agent to the letter, but for being its child.
  const agents = new Set(found.map(({ pid }) => pid));
  return found.filter(({ pid }) => !agents.has(parentOf(pid)));
}

/** Every process of a pod: its agent, its tasks and what these have started. */
export function processesOf({ workspaceId, generation }: Pick<Pod, 'workspaceId' | 'generation'>): number[] {
  return processes().filter((pid) => environmentOf(pid).get('REPRISE_POD') === `${workspaceId}/${generation}`);
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

/** Whether a process leads its session, as every agent does. */
function isLeader(pid: number): boolean {
  return statOf(pid)[3] === String(pid);
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1]);
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
