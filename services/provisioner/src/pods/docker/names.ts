import type { PodIdentity } from '../pod-driver';

/** What a thing in the engine is for. */
export type Kind =
  /** The container of a pod. */
  | 'pod'
  /** The container of an agent that serves what a dead pod has left. */
  | 'salvage'
  /** A container that is never started: the engine gives a volume its owner when one is made. */
  | 'prepare'
  /** The volume with a pod's workspace. */
  | 'files'
  /** The volume that says which generation of a workspace was ever created. */
  | 'fence'
  /** The volume with the agent, and the container that filled it. */
  | 'agent'
  /** The network of all pods. */
  | 'network'
  /** The network of one pod. */
  | 'pod-network';

const INSTANCE = 'reprise.instance';
const KIND = 'reprise.kind';
const WORKSPACE = 'reprise.workspace';
const GENERATION = 'reprise.generation';
/** On the containers of Reprise itself that pods have to do with, whoever makes them. */
const SERVICE_OF = 'reprise.pods';

export type Labels = Readonly<Record<string, string>>;

/** The names and labels of one installation's things: another one's on the same engine are never met. */
export class Names {
  constructor(readonly instance: string) {}

  /** By the workspace alone: the engine gives a name once, and so keeps a second pod of the workspace out. */
  pod(workspaceId: string): string {
    return `${this.instance}-${workspaceId}`;
  }

  files({ workspaceId, generation }: PodIdentity): string {
    return `${this.instance}-${workspaceId}-files-${generation}`;
  }

  fence({ workspaceId, generation }: PodIdentity): string {
    return `${this.instance}-${workspaceId}-fence-${generation}`;
  }

  /**
   * Before engine 28, a container's way to the world goes through the network whose name is the first by alphabet: the networks of pods, which the
   * provisioner and the gateway join, must come after any other.
   */
  network({ workspaceId, generation }: PodIdentity): string {
    return `zz-${this.instance}-${workspaceId}-${generation}`;
  }

  /** What a container of Reprise itself is found by. */
  get serviceLabel(): string {
    return `${SERVICE_OF}=${this.instance}`;
  }

  /** @param imageId of the agent's image: a new one gets a new volume, and pods that are up keep theirs */
  agent(imageId: string): string {
    return `${this.instance}-agent-${imageId.replace(/^sha256:/, '').slice(0, 12)}`;
  }

  labels(kind: Kind): Record<string, string> {
    return { [INSTANCE]: this.instance, [KIND]: kind };
  }

  podLabels(kind: Kind, { workspaceId, generation }: PodIdentity): Record<string, string> {
    return { ...this.labels(kind), [WORKSPACE]: workspaceId, [GENERATION]: String(generation) };
  }

  /** A filter for what this installation has, of all workspaces or one, of all kinds or one. */
  filter({ workspaceId, kind }: { workspaceId?: string; kind?: Kind } = {}): Record<string, string[]> {
    const label = [`${INSTANCE}=${this.instance}`];
    if (kind !== undefined) label.push(`${KIND}=${kind}`);
    if (workspaceId !== undefined) label.push(`${WORKSPACE}=${workspaceId}`);
    return { label };
  }

  /** Whether the labels are those of a container that salvages. */
  isSalvage(labels: Labels | null | undefined): boolean {
    return labels?.[KIND] === ('salvage' satisfies Kind);
  }

  /** The pod that something with these labels belongs to, or null where it belongs to none. */
  identityOf(labels: Labels | null | undefined): PodIdentity | null {
    const [workspaceId, generation] = [labels?.[WORKSPACE], labels?.[GENERATION]];
    if (labels?.[INSTANCE] !== this.instance || !workspaceId || !/^[1-9][0-9]{0,14}$/.test(generation ?? '')) return null;
    return { workspaceId, generation: Number(generation) };
  }
}
