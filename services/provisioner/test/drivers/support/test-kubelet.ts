import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi, KubeEvent } from '../../../src/pods/kubernetes/kube-api';
import { KubeError } from '../../../src/pods/kubernetes/kube-error';
import type { KubeList, KubePod } from '../../../src/pods/kubernetes/kube-objects';
import { LABEL } from '../../../src/pods/kubernetes/names';
import { until } from '../../testing/until';
import { environmentOf } from './container-environment';
import { containerStatus, EVICTED, imageNotFound, NO_NODE, PodBooks } from './pod-books';
import { PodProcess } from './pod-process';
import { TestVolumes } from './test-volumes';

/** What becomes of a pod that is created. */
export type Fate = 'runs' | 'finds no node' | 'is not looked at';

/** An image that no registry has. */
export const MISSING_IMAGE = 'registry.invalid/no-such/image:1';

interface Known {
  readonly uid: string;
  readonly name: string;
  readonly workspaceId: string;
  readonly directory: string;
  /** Where its workspace is, once it runs. */
  workspace?: string;
  process?: PodProcess;
  /** Its node does not answer: nothing is done about it. */
  lost: boolean;
  ending: boolean;
  /** What its end is called. */
  reason?: string;
}

/**
 * The scheduler, the kubelet and the garbage collector of one namespace, for an API server that has none of them: each pod's agent is the real one, as
 * a process in namespaces of its own, with an address of its own on the loopback network. What it leaves out is what a driver cannot see.
 */
export class TestKubelet {
  private static addresses = Math.floor(Math.random() * 60_000);
  private readonly known = new Map<string, Known>();
  private readonly fates = new Map<string, Fate>();
  private readonly programs = new Map<string, string>();
  private readonly stopping = new AbortController();
  private readonly path: string;
  private readonly books: PodBooks;
  private readonly volumes: TestVolumes;
  private running: Promise<void> | undefined;
  /** What went wrong in it; a test that hangs asks here. */
  readonly problems: string[] = [];

  constructor(
    private readonly api: KubeApi,
    namespace: string,
    private readonly agentPath: string,
    private readonly directory: string,
  ) {
    this.path = `/api/v1/namespaces/${namespace}/pods`;
    this.books = new PodBooks(api, namespace);
    this.volumes = new TestVolumes(api, namespace, directory, this.stopping.signal);
  }

  start(): void {
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.volumes.stop();
    for (const known of this.known.values()) {
      known.process?.signal('SIGKILL');
      await known.process?.ended;
    }
  }

  /** Says beforehand what becomes of a workspace's pods. */
  decide(workspaceId: string, fate: Fate): void {
    this.fates.set(workspaceId, fate);
  }

  /** Says what a container of this image runs; all others run the agent. */
  hasImage(image: string, program: string): void {
    this.programs.set(image, program);
  }

  /** Whether any process of the workspace's pods lives. */
  hasProcesses(workspaceId: string): boolean {
    return this.of(workspaceId).some(({ process }) => process?.hasProcesses ?? false);
  }

  /** Begins, after all, with a pod that was not to be looked at. */
  async takeUp(pod: KubePod): Promise<void> {
    const workspaceId = pod.metadata.labels![LABEL.workspace]!;
    this.fates.delete(workspaceId);
    await this.begin(pod, workspaceId);
  }

  /** Waits until nothing is left of the workspace's pods, which were taken away. */
  async untilNothingOf(workspaceId: string): Promise<void> {
    await until(() => this.of(workspaceId).length === 0);
  }

  /** The agent that lives, as the machine sees it. */
  agentOf(workspaceId: string): number | null {
    return this.of(workspaceId).find(({ process }) => process?.hasProcesses)?.process?.pid ?? null;
  }

  filesOf(workspaceId: string): string {
    const known = this.of(workspaceId).find(({ process }) => process?.hasProcesses);
    if (!known?.workspace) throw new Error(`${workspaceId} has no pod that lives`);
    return known.workspace;
  }

  /** Ends the agent at once, as a crash would. @param reason what the kubelet calls it, such as OOMKilled */
  async crash(workspaceId: string, reason?: string): Promise<void> {
    for (const known of this.of(workspaceId)) {
      known.reason = reason;
      known.process?.signal('SIGKILL');
      await known.process?.ended;
    }
  }

  /** The node is short of memory: the kubelet fails the pod and leaves it. */
  async evict(workspaceId: string): Promise<void> {
    for (const known of this.of(workspaceId)) {
      known.ending = true;
      known.process?.signal('SIGKILL');
      await known.process?.ended;
      await this.books.tell(known, (pod) => ({ ...pod.status, ...EVICTED }));
      known.ending = false;
    }
  }

  /** A controller takes the pod away: a condition says why, then it is deleted as by anybody. */
  async disrupt(workspaceId: string, reason: string, message: string): Promise<void> {
    for (const known of this.of(workspaceId)) {
      await this.books.tell(known, (pod) => ({
        ...pod.status,
        conditions: [...(pod.status?.conditions ?? []), { type: 'DisruptionTarget', status: 'True', reason, message }],
      }));
      await this.books.delete(known, 2);
    }
  }

  /** The node is cut off: the pod lives on there, and the node controller marks it. */
  async loseNode(workspaceId: string): Promise<void> {
    for (const known of this.of(workspaceId)) {
      known.lost = true;
      await this.books.tell(known, (pod) => ({
        ...pod.status,
        reason: 'NodeLost',
        message: 'Node node-1 which was running the pod is unresponsive',
        conditions: (pod.status?.conditions ?? []).map((it) => (it.type === 'Ready' ? { ...it, status: 'Unknown' } : it)),
      }));
    }
  }

  /** The node is back, and its kubelet does what it missed. */
  async returnNode(workspaceId: string): Promise<void> {
    for (const known of this.of(workspaceId)) {
      known.lost = false;
      const pod = await this.books.read(known.name);
      if (pod) await this.handle({ type: 'MODIFIED', object: pod });
    }
  }

  private of(workspaceId: string): Known[] {
    return [...this.known.values()].filter((it) => it.workspaceId === workspaceId);
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const list = await this.api.list<KubeList<KubePod>>(this.path, {});
        const there = new Set(list.items.map(({ metadata }) => metadata.uid));
        for (const known of this.known.values()) if (!there.has(known.uid)) void this.vanished(known);
        for (const object of list.items) void this.handle({ type: 'ADDED', object });
        const query = { resourceVersion: list.metadata.resourceVersion, timeoutSeconds: 600 };
        const options = { signal, idleMs: 600_000, onOpen: () => undefined };
        await this.api.watch<KubePod>(this.path, query, (event) => void this.handle(event), options);
      } catch (error) {
        if (!signal.aborted) await sleep(100, undefined, { signal }).catch(() => undefined);
        if (!(error instanceof KubeError)) this.problems.push(String(error));
      }
    }
  }

  private async handle({ type, object }: KubeEvent<KubePod>): Promise<void> {
    try {
      const { uid, labels, deletionTimestamp } = object.metadata;
      const workspaceId = labels?.[LABEL.workspace];
      if (uid === undefined || workspaceId === undefined) return;
      const known = this.known.get(uid);
      if (type === 'DELETED') return known && (await this.vanished(known));
      if (!known && deletionTimestamp === undefined) return await this.begin(object, workspaceId);
      if (known && deletionTimestamp !== undefined && !known.lost) return await this.terminate(known, object);
    } catch (error) {
      if (!(error instanceof KubeError && (error.status === 404 || error.status === 409))) this.problems.push(String(error));
    }
  }

  private async begin(pod: KubePod, workspaceId: string): Promise<void> {
    const { uid, name } = pod.metadata as { uid: string; name: string };
    const directory = join(this.directory, uid);
    const known: Known = { uid, name, workspaceId, directory, lost: false, ending: false };
    this.known.set(uid, known);
    const fate = this.fates.get(workspaceId) ?? 'runs';
    if (fate === 'is not looked at') return;
    if (fate === 'finds no node') {
      return this.books.tell(known, (it) => ({ ...it.status, conditions: [NO_NODE] }));
    }
    await this.books.bind(known.name);
    const [container] = pod.spec!.containers;
    const podIP = TestKubelet.nextAddress();
    const status = (more: object, phase = 'Pending') => ({
      phase,
      podIP,
      hostIP: '127.0.0.1',
      containerStatuses: [{ ...containerStatus(pod), ...more }],
    });
    if (container!.image === MISSING_IMAGE) {
      return this.books.tell(known, () => status(imageNotFound(container!.image!)));
    }
    const secret = (name: string) => this.books.secret(name);
    const isWanted = (): boolean => !known.ending && !this.stopping.signal.aborted;
    const workspace = await this.volumes.workspaceOf(pod, join(directory, 'workspace'), isWanted);
    const env = workspace === null ? null : await environmentOf(container!, { podIP, workspace }, secret, isWanted);
    // Deleted meanwhile: nothing is started that nobody would end, in a directory that is gone.
    if (workspace === null || env === null || !isWanted()) return;
    mkdirSync(directory, { recursive: true });
    known.workspace = workspace;
    known.process = PodProcess.start({
      args: [process.execPath, this.programs.get(container!.image!) ?? this.agentPath],
      env,
      directory,
      logFile: join(directory, 'log'),
    });
    void known.process.ended.then((exitCode) => this.ended(known, exitCode)).catch((error: unknown) => this.problems.push(String(error)));
    const running = { state: { running: { startedAt: new Date().toISOString() } } };
    // It may have ended by now, and its end have been told: then there is nothing to add, and the API takes no pod back from that.
    const tellWhileItRuns = (told: object): Promise<void> => this.books.tell(known, (it) => (known.process!.isRunning ? told : it.status!));
    await tellWhileItRuns(status(running, 'Running'));
    await this.untilReady(known, `http://${podIP}:${env.REPRISE_PORT}/health`);
    await tellWhileItRuns({
      ...status({ ...running, ready: true, started: true }, 'Running'),
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'PodScheduled', status: 'True' },
      ],
    });
  }

  private async untilReady(known: Known, url: string): Promise<void> {
    while (known.process!.isRunning && !this.stopping.signal.aborted) {
      const answer = await fetch(url).catch(() => null);
      if (answer?.status === 200) return;
      await sleep(20);
    }
  }

  private async ended(known: Known, exitCode: number): Promise<void> {
    if (known.ending || known.lost || this.stopping.signal.aborted) return;
    const reason = known.reason ?? (exitCode === 0 ? 'Completed' : 'Error');
    const terminated = { exitCode, reason, message: exitCode === 0 ? undefined : known.process!.log() };
    await this.books.tell(known, (pod) => ({
      ...pod.status,
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      containerStatuses: [{ ...containerStatus(pod), state: { terminated } }],
      conditions: [{ type: 'Ready', status: 'False' }],
    }));
  }

  private async terminate(known: Known, pod: KubePod): Promise<void> {
    if (known.ending) return;
    known.ending = true;
    const grace = (pod.metadata as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds ?? 30;
    if (known.process) {
      const late = new AbortController();
      known.process.signal('SIGTERM');
      await Promise.race([known.process.ended, sleep(grace * 1_000, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
      known.process.signal('SIGKILL');
      await known.process.ended;
    }
    // Now, and only now, the API may forget it.
    await this.books.delete(known, 0);
  }

  private async vanished(known: Known): Promise<void> {
    known.ending = true;
    known.process?.signal('SIGKILL');
    await known.process?.ended;
    this.known.delete(known.uid);
    rmSync(known.directory, { recursive: true, force: true });
    await this.books.collect(known.uid);
  }

  private static nextAddress(): string {
    TestKubelet.addresses = (TestKubelet.addresses + 1) % 60_000;
    return `127.${64 + (process.pid % 128)}.${Math.floor(TestKubelet.addresses / 250)}.${1 + (TestKubelet.addresses % 250)}`;
  }
}
