import { join } from 'node:path';
import { PodError, type PodIdentity } from '../pod-driver';
import { killCgroup, processesIn, removeCgroup } from './cgroups';
import { ISOLATIONS, type Isolation, type IsolationKind } from './isolation-kinds';
import type { PodDirectory } from './pod-directory';
import type { ProcessTable } from './process-table';
import { PodUsers, rangeOf, type UserSettings } from './pod-users';
import { probeCgroup, probeNamespaces, probeUser } from './isolation-probes';
import type { ViewSettings } from './namespace-view';

export interface IsolationOptions {
  /** `auto` takes the first that works here. */
  readonly wanted: IsolationKind | 'auto';
  readonly users: UserSettings;
  /** What pods in namespaces of their own see. */
  readonly view: ViewSettings;
}

/** What works on this machine, and why what comes before it does not. */
export interface IsolationFound {
  readonly kind: IsolationKind;
  readonly refused: readonly string[];
}

/** Decides once how pods are isolated on this machine, and gives each new pod its part. */
export class PodIsolation {
  private users: Promise<PodUsers> | undefined;
  private found: Promise<IsolationFound> | undefined;
  /** Where the cgroups of pods are made. */
  private cgroups = '';

  constructor(
    private readonly options: IsolationOptions,
    private readonly directory: PodDirectory,
    private readonly table: ProcessTable,
  ) {}

  /** @throws PodError `denied` where the wanted one does not work here */
  find(): Promise<IsolationFound> {
    return (this.found ??= this.probe().catch((error: unknown) => {
      this.found = undefined;
      throw error;
    }));
  }

  /** For a pod that is to be made. Only under the workspace's lock. @throws PodError */
  async of(pod: PodIdentity): Promise<Isolation> {
    const { kind } = await this.find();
    switch (kind) {
      case 'user':
        return { by: kind, uid: await (await this.podUsers()).of(pod.workspaceId) };
      case 'cgroup':
        return { by: kind, directory: await this.cgroupOf(pod) };
      case 'namespace':
      case 'environment':
        return { by: kind };
    }
  }

  /** Removes what a pod has besides processes and files. It may have lost the directory that said so. */
  async clear(pod: PodIdentity): Promise<void> {
    if (this.cgroups === '') return;
    const cgroup = await this.cgroupOf(pod);
    if ((await processesIn(cgroup)).length > 0) await killCgroup(cgroup);
    await removeCgroup(cgroup);
  }

  private async cgroupOf({ workspaceId, generation }: PodIdentity): Promise<string> {
    return join(this.cgroups, `reprise-${await this.directory.name()}-${workspaceId}-${generation}`);
  }

  private podUsers(): Promise<PodUsers> {
    return (this.users ??= this.directory
      .name()
      .then((installation) => new PodUsers(this.directory, this.table, rangeOf(this.options.users, installation))));
  }

  private async probe(): Promise<IsolationFound> {
    const { wanted } = this.options;
    await this.directory.makeRoot();
    const refused: string[] = [];
    for (const kind of wanted === 'auto' ? ISOLATIONS : [wanted]) {
      const why = await this.refusal(kind);
      if (why === null) return { kind, refused };
      refused.push(`${kind}: ${why}`);
    }
    throw new PodError('denied', `pods cannot be isolated as POD_ISOLATION says; ${refused.join('; ')}`);
  }

  /** Why it does not work here; null where it does. */
  private async refusal(kind: IsolationKind): Promise<string | null> {
    const { view, users } = this.options;
    switch (kind) {
      case 'user':
        // A directory that is the driver's own lets a pod's user pass, and read nothing.
        if (process.geteuid?.() === 0) await this.directory.letOthersPass();
        return probeUser(rangeOf(users, await this.directory.name()).first, this.directory.path, view.agentPath);
      case 'namespace':
        return probeNamespaces(view);
      case 'cgroup': {
        const found = await probeCgroup();
        if ('why' in found) return found.why;
        this.cgroups = found.parent;
        return null;
      }
      case 'environment':
        return null;
    }
  }
}
