import { PodError, type PodIdentity } from '../pod-driver';
import { ISOLATIONS, type Isolation, type IsolationKind } from './isolation-kinds';
import type { PodDirectory } from './pod-directory';
import type { ProcessTable } from './process-table';
import { PodUsers, type UserRange } from './pod-users';
import { probeUser } from './isolation-probes';

export interface IsolationOptions {
  /** `auto` takes the first that works here. */
  readonly wanted: IsolationKind | 'auto';
  readonly users: UserRange;
  readonly agentPath: string;
}

/** What works on this machine, and why what comes before it does not. */
export interface IsolationFound {
  readonly kind: IsolationKind;
  readonly refused: readonly string[];
}

/** Decides once how pods are isolated on this machine, and gives each new pod its part. */
export class PodIsolation {
  private readonly users: PodUsers;
  private found: Promise<IsolationFound> | undefined;

  constructor(
    private readonly options: IsolationOptions,
    private readonly directory: PodDirectory,
    table: ProcessTable,
  ) {
    this.users = new PodUsers(directory, table, options.users);
  }

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
    return kind === 'user' ? { by: 'user', uid: await this.users.of(pod.workspaceId) } : { by: kind };
  }

  private async probe(): Promise<IsolationFound> {
    const { wanted, agentPath, users } = this.options;
    await this.directory.makeRoot();
    const refused: string[] = [];
    for (const kind of wanted === 'auto' ? ISOLATIONS : [wanted]) {
      const why = await this.refusal(kind, agentPath, users);
      if (why === null) return { kind, refused };
      refused.push(`${kind}: ${why}`);
    }
    throw new PodError('denied', `pods cannot be isolated as POD_ISOLATION says; ${refused.join('; ')}`);
  }

  private async refusal(kind: IsolationKind, agentPath: string, users: UserRange): Promise<string | null> {
    if (kind === 'environment') return null;
    // A directory that is the driver's own lets a pod's user pass, and read nothing.
    await this.directory.letOthersPass();
    return probeUser(users.first, this.directory.path, agentPath);
  }
}
