import { PodError } from '../pod-driver';
import type { PodClient } from './pod-client';
import { describe, type PodView } from './pod-view';
import type { PodWatch } from './pod-watch';

/** Waits for what becomes of a pod. */
export class PodWaiter {
  constructor(
    private readonly watch: PodWatch,
    private readonly pods: PodClient,
  ) {}

  /**
   * Waits, by the watch, until the pod is as wanted or is gone (null). When the time is up it is read once more, and told as it is then.
   */
  async until(pod: PodView, isWanted: (view: PodView) => boolean, withinMs: number): Promise<PodView | null> {
    this.watch.start();
    const { cache } = this.watch;
    const seen = await new Promise<PodView | null | 'late'>((resolve) => {
      const timer = setTimeout(() => finish('late'), withinMs);
      const look = (view: PodView | null): void => {
        if (view === null || isWanted(view)) finish(view);
      };
      const end = cache.listen(pod.uid, look);
      const finish = (with_: PodView | null | 'late'): void => {
        clearTimeout(timer);
        end();
        resolve(with_);
      };
      // Whoever has a view of a pod has it from the cache: what is not there any more is gone.
      const known = cache.get(pod.name);
      look(known?.uid === pod.uid ? known : null);
    });
    if (seen !== 'late') return seen;
    const found = await this.pods.read(pod.workspaceId);
    return typeof found === 'string' || found.view.uid !== pod.uid ? null : found.view;
  }

  /**
   * Ends a pod and waits until the API says that it is gone: which it does once the kubelet has confirmed that nothing of it runs. Never by force:
   * where the node does not answer, nobody knows.
   * @throws PodError `not_removed`
   */
  async end(pod: PodView, graceSeconds: number, withinMs: number): Promise<void> {
    await this.pods.delete(pod, graceSeconds);
    const left = await this.until(pod, () => false, withinMs);
    if (left !== null) throw new PodError('not_removed', `nobody has confirmed its end in ${withinMs} ms: ${describe(left)}`);
    this.watch.cache.forget(pod.name, pod.uid);
  }
}
