import { inSpan } from '@reprise/platform';
import type { PodDriver, PodHandle, PodIdentity, PodSpec, PodState, RemoveOptions } from './pod-driver';

/** A driver whose calls are spans of the step that makes them. What is listed for the reconciler belongs to no step. */
export class TracedPodDriver implements PodDriver {
  constructor(private readonly driver: PodDriver) {}

  create(spec: PodSpec): Promise<PodHandle> {
    return inSpan('driver create', aboutPod(spec), () => this.driver.create(spec));
  }

  remove(pod: PodIdentity, options: RemoveOptions): Promise<void> {
    return inSpan('driver remove', aboutPod(pod), () => this.driver.remove(pod, options));
  }

  salvage(spec: PodSpec): Promise<PodHandle> {
    return inSpan('driver salvage', aboutPod(spec), () => this.driver.salvage(spec));
  }

  inspect(pod: PodIdentity): Promise<PodState | null> {
    return inSpan('driver inspect', aboutPod(pod), () => this.driver.inspect(pod));
  }

  list(): Promise<PodState[]> {
    return this.driver.list();
  }

  weakness(): Promise<string | null> {
    return this.driver.weakness?.() ?? Promise.resolve(null);
  }

  fences(): Promise<PodIdentity[]> {
    return this.driver.fences();
  }
}

/** Of a call about a pod: which one, of all that the workspace has had. */
export function aboutPod({ workspaceId, generation }: PodIdentity) {
  return { kind: 'client', attributes: { 'reprise.workspace.id': workspaceId, 'reprise.pod.generation': generation } } as const;
}
