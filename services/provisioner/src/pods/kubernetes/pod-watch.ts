import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi, KubeEvent } from './kube-api';
import { KubeError } from './kube-error';
import type { KubeList, KubePod, KubeStatus } from './kube-objects';
import { selectorOf } from './names';
import { PodCache } from './pod-cache';
import { type PodView, viewOf } from './pod-view';

export interface PodWatchOptions {
  /** The path of the namespace's pods. */
  readonly path: string;
  readonly instance: string;
  readonly agentPort: number;
}

/** A list is read in pages, so that ten thousand pods never stand in memory as one answer. */
const PAGE = 500;
/** The API ends a watch after this; spread, so that replicas do not all come back at once. */
const WATCH_SECONDS = { least: 240, spread: 60 };
/** The API sends a bookmark about every minute: longer silence is a connection that is dead. */
const IDLE_MS = 150_000;
const LASTING_MS = 1_000;
const PAUSE_MS = { first: 100, longest: 10_000 };
/** How old what is known may be before it is not told any more. */
const STALE_MS = 30_000;

/**
 * The one informer: lists the pods once, then follows them. A connection that ends is taken up where it ended; where the API no longer knows
 * that place (410), everything is listed anew. The client's own informer has no time limits, ends for good on the first error, and keeps whole objects.
 */
export class PodWatch {
  readonly cache = new PodCache();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private synced: Promise<void> | undefined;
  private onSynced: (() => void) | undefined;
  /** Where the next watch begins; null where the pods must be listed first. */
  private version: string | null = null;
  private connected = false;
  private lastContact = -Infinity;
  private lastError: Error | undefined;

  constructor(
    private readonly api: KubeApi,
    private readonly options: PodWatchOptions,
  ) {}

  /** Whether what the cache tells is what the API told a moment ago. */
  get isCurrent(): boolean {
    return this.connected;
  }

  /** Starts following, the first time, and resolves once the cache holds every pod. @throws KubeError where it does not within this time, or is too old */
  async ready(patienceMs: number): Promise<void> {
    this.start();
    const late = new AbortController();
    const limit = sleep(patienceMs, 'late' as const, { signal: late.signal }).catch(() => 'late' as const);
    const first = await Promise.race([this.synced, limit]);
    late.abort();
    if (first === 'late') throw this.failure('the pods could not be listed');
    if (!this.connected && performance.now() - this.lastContact > STALE_MS) throw this.failure('the pods have not been heard of for long');
  }

  start(): void {
    this.synced ??= new Promise<void>((resolve) => (this.onSynced = resolve));
    this.running ??= this.follow();
  }

  /** Ends it, and waits until it has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private failure(what: string): KubeError {
    const why = this.lastError;
    return new KubeError(why instanceof KubeError ? why.status : null, '', `${what}: ${why?.message ?? 'no answer'}`, null, { cause: why });
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted;) {
      const began = performance.now();
      try {
        if (this.version === null) await this.list();
        await this.watchOnce(signal);
      } catch (error) {
        this.lastError = error as Error;
        // Not known any more, from here on: what happened meanwhile is found by listing.
        if (error instanceof KubeError && error.status === 410) this.version = null;
      }
      // One that lasted is taken up at once; one that ends as soon as it begins, well or not, is not asked for without a pause.
      failures = performance.now() - began >= LASTING_MS ? 0 : failures + 1;
      const pause = failures === 0 ? 0 : Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** (failures - 1));
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async list(): Promise<void> {
    const views: PodView[] = [];
    let next: string | undefined;
    let version: string;
    do {
      const query = { labelSelector: selectorOf(this.options.instance), limit: PAGE, continue: next };
      const page: KubeList<KubePod> = await this.api.list(this.options.path, query);
      for (const pod of page.items) this.viewOf(pod, (view) => views.push(view));
      ({ continue: next, resourceVersion: version } = page.metadata);
    } while (next);
    this.cache.replace(views, Number(version));
    this.version = version;
    this.lastContact = performance.now();
    this.onSynced?.();
  }

  private async watchOnce(signal: AbortSignal): Promise<void> {
    const query = {
      labelSelector: selectorOf(this.options.instance),
      resourceVersion: this.version!,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(WATCH_SECONDS.least + Math.random() * WATCH_SECONDS.spread),
    };
    const onOpen = (): void => void (this.connected = true);
    try {
      await this.api.watch<KubePod | KubeStatus>(this.options.path, query, (event) => this.on(event), { signal, idleMs: IDLE_MS, onOpen });
    } finally {
      if (this.connected) this.lastContact = performance.now();
      this.connected = false;
    }
  }

  private on({ type, object }: KubeEvent<KubePod | KubeStatus>): void {
    if (type === 'ERROR') throw KubeError.ofAnswer((object as KubeStatus).code ?? 500, object as KubeStatus, undefined);
    const pod = object as KubePod;
    if (type === 'DELETED') this.viewOf(pod, (view) => this.cache.sawDeleted(view));
    else if (type !== 'BOOKMARK') this.viewOf(pod, (view) => this.cache.saw(view));
    this.version = pod.metadata.resourceVersion!;
  }

  private viewOf(pod: KubePod, use: (view: PodView) => void): void {
    const view = viewOf(pod, this.options.instance, this.options.agentPort);
    if (view) use(view);
  }
}
