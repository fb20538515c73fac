import type { PodIdentity } from '../pod-driver';
import type { PodView } from './pod-view';

/** How long, and how many, pods are remembered that the cluster took away by itself: until the reconciler has told why. */
const REMEMBER_MS = 600_000;
const REMEMBER_MOST = 1_000;
/** Of how many that are gone it is known that they are: many more than go while one answer is on its way. */
const GONE_MOST = 10_000;

export type Seen = (view: PodView | null) => void;

/** The pods that there are, as the watch and the driver's own reads tell them, in whatever order. */
export class PodCache {
  private readonly pods = new Map<string, PodView>();
  /**
   * What is gone, by uid, and as of which version: an answer that was on its way meanwhile may be older than that, and is not believed. Infinity
   * where a read of our own has confirmed it, and the watch perhaps not yet.
   */
  private readonly gone = new Map<string, number>();
  private readonly departed = new Map<string, { view: PodView; until: number }>();
  private readonly listeners = new Map<string, Set<Seen>>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  get(name: string): PodView | undefined {
    return this.pods.get(name);
  }

  /** Every pod that there is, and those that the cluster took away lately, with the reason why: `dead`, and nothing of them is left. */
  all(): PodView[] {
    this.expire();
    const departed = [...this.departed].filter(([name]) => !this.pods.has(name)).map(([, { view }]) => view);
    return [...this.pods.values(), ...departed];
  }

  /** A pod was seen as this. Older news than is known changes nothing. */
  saw(view: PodView): void {
    if (view.version <= (this.gone.get(view.uid) ?? -1)) return;
    const known = this.pods.get(view.name);
    if (known?.version !== undefined && known.version >= view.version) return;
    if (known && known.uid !== view.uid) {
      this.bury(known.uid, Infinity);
      this.left(known);
    }
    this.pods.set(view.name, view);
    this.tell(view.uid, view);
  }

  /** The watch tells that the pod is no more; `last` is what it was then. */
  sawDeleted(last: PodView): void {
    const known = this.pods.get(last.name);
    // It was only out of sight, with another label say, and a read of our own has seen it since.
    if (known?.uid === last.uid && known.version > last.version) return;
    this.bury(last.uid, last.version);
    if (known?.uid === last.uid) this.pods.delete(last.name);
    this.left(last);
  }

  /** We removed it, or found that it is gone: it is not to be seen again. */
  forget(name: string, uid: string): void {
    if (this.pods.get(name)?.uid === uid) {
      this.pods.delete(name);
      this.bury(uid, Infinity);
    }
    this.tell(uid, null);
  }

  /** It is removed on purpose: that it went before is nobody's loss any more. */
  forgetDeparted({ workspaceId, generation }: PodIdentity): void {
    for (const [name, { view }] of this.departed) {
      if (view.workspaceId === workspaceId && view.generation === generation) this.departed.delete(name);
    }
  }

  /** A whole list, as of `version`: what was known before that and is not in it is gone. */
  replace(views: readonly PodView[], version: number): void {
    const listed = new Set(views.map(({ uid }) => uid));
    for (const view of [...this.pods.values()]) if (!listed.has(view.uid) && view.version <= version) this.sawDeleted(view);
    for (const uid of this.gone.keys()) if (!listed.has(uid)) this.bury(uid, version);
    for (const view of views) this.saw(view);
  }

  /** Tells what this pod becomes, from now on; null once it is gone. @returns ends it */
  listen(uid: string, seen: Seen): () => void {
    const those = this.listeners.get(uid) ?? new Set<Seen>();
    this.listeners.set(uid, those.add(seen));
    return () => {
      those.delete(seen);
      if (those.size === 0 && this.listeners.get(uid) === those) this.listeners.delete(uid);
    };
  }

  private bury(uid: string, version: number): void {
    this.gone.set(uid, Math.max(version, this.gone.get(uid) ?? 0));
    if (this.gone.size > GONE_MOST) this.gone.delete(this.gone.keys().next().value!);
  }

  private left(view: PodView): void {
    // One that ended by itself or was removed is nothing to tell; what the cluster did is.
    if (view.end !== null && view.end.reason !== 'exited' && view.end.reason !== 'out_of_memory') {
      this.departed.set(view.name, { view: { ...view, phase: 'dead', address: null }, until: this.now() + REMEMBER_MS });
    }
    this.tell(view.uid, null);
  }

  private expire(): void {
    for (const [name, { until }] of this.departed) {
      if (until > this.now() && this.departed.size <= REMEMBER_MOST) break;
      this.departed.delete(name);
    }
  }

  private tell(uid: string, view: PodView | null): void {
    for (const seen of [...(this.listeners.get(uid) ?? [])]) seen(view);
  }
}
