import type { Readable, Writable } from 'node:stream';
import type { AgentConfig } from './config';
import { Conversation, readConversation } from './conversation/conversation';
import { AgentError } from './errors';
import { type Directory, openUpSelf } from './files/directory';
import { OwnFiles } from './files/own-files';
import { log, messageOf } from './log';
import { PodProcesses } from './processes/pod-processes';
import type { Reporter } from './reporting/reporter';
import { restoreWorkspace, type RestoreResult } from './restore/restore';
import type { SnapshotLimits } from './snapshot/limits';
import { writeSnapshot, type SnapshotResult } from './snapshot/snapshot';
import { Standstill } from './checkpoint/standstill';
import { Task, type TaskEnd } from './tasks/task';

export type AgentStatus = 'starting' | 'ready' | 'quiesced';

export interface TaskRequest {
  readonly taskId: string;
  readonly description: string;
  readonly timeoutSeconds?: number;
}

/** What quiesce has to say. */
export interface Quiesced {
  readonly interruptedTaskId: string | null;
  /** What that task had printed. */
  readonly interruptedTaskOutput?: string;
}

/** How long quiesce and shutdown wait for the last reports to be told; what is not goes with the workspace. */
const FLUSH_MS = 2_000;

/** One pod's life: starting (may be restored) → ready (takes tasks) ⇄ quiesced (at rest, may be saved). */
export class Agent {
  private state: AgentStatus = 'starting';
  private current: { task: Task; startedAt: string; settled: Promise<void> } | undefined;
  /** Every task that was ever taken here: a repeated request does not run it again. */
  private readonly taken = new Set<string>();
  private conversation: Conversation | undefined;
  /** Tasks that quiesce ended: whoever asked for it tells how they ended, not the agent. */
  private readonly interrupted = new WeakSet<Task>();
  private restoring = false;
  private waking: Promise<void> | undefined;
  private quiescing: Promise<Quiesced> | undefined;
  /** While the pod stands still for a checkpoint: it is quiesced, but for whoever has a task for it. */
  private standstill: { readonly it: Standstill; readonly inBackground: Promise<number> } | undefined;

  private readonly files: OwnFiles;
  /** What was moved aside and is not in the conversation yet. */
  private moved: { path: string; to: string }[] = [];

  private readonly processes: PodProcesses;

  constructor(
    private readonly config: AgentConfig,
    private readonly workspace: Directory,
    private readonly reporter: Reporter,
  ) {
    this.files = new OwnFiles(workspace, (path, to) => {
      log('warn', "something stood in the way of the agent's files and was moved aside", { path, to });
      this.moved.push({ path, to });
    });
    this.processes = new PodProcesses(config.membership, { mark: config.podMark, workspaceDir: config.workspaceDir });
    if (config.mode !== 'salvage') return;
    // Nothing of the pod runs any more: it is at rest, for good. Nothing is written to it, and nothing is told in its name.
    this.state = 'quiesced';
    this.quiescing = Promise.resolve({ interruptedTaskId: null });
  }

  get status(): AgentStatus {
    return this.standstill ? 'ready' : this.state;
  }

  get taskId(): string | null {
    return this.current?.task.spec.taskId ?? null;
  }

  /** @throws AgentError `not_ready` when there is nothing at rest to be saved: a pod that is still starting holds no state */
  quiesce(reason: string): Promise<Quiesced> {
    if (this.state === 'starting') throw new AgentError('not_ready', 'the pod is starting and holds no state to be saved');
    this.thaw();
    this.state = 'quiesced';
    return (this.quiescing ??= this.comeToRest(reason).catch((error: unknown) => {
      this.quiescing = undefined;
      throw error;
    }));
  }

  /** Makes a new pod ready and lets a quiesced one go on. @throws AgentError `restore_in_progress`, `salvage_only` */
  async resumeWork(): Promise<void> {
    if (this.config.mode === 'salvage')
      throw new AgentError('salvage_only', 'the pod is dead: what it left can be saved, and it goes on no more');
    if (this.restoring) throw new AgentError('restore_in_progress', 'the workspace is being restored');
    if (this.state === 'starting') await (this.waking ??= this.wakeUp().finally(() => (this.waking = undefined)));
    if (this.thaw()) return;
    if (this.state !== 'quiesced') return;
    await this.quiescing;
    this.quiescing = undefined;
    this.state = 'ready';
    this.reporter.resume();
  }

  /**
   * Lets everything stand still for a checkpoint, and nothing end. Whatever comes for the pod meanwhile ends it, and so does a while in which nobody takes a
   * snapshot. @throws AgentError `busy`, `not_ready`
   */
  async freeze(): Promise<{ inBackground: number }> {
    if (this.current) throw new AgentError('busy', `task ${this.taskId} is running`);
    if (!this.standstill) {
      if (this.state !== 'ready') throw new AgentError('not_ready', `the pod is ${this.state}`);
      this.standStill();
    }
    const { standstill } = this;
    try {
      await this.quiescing;
      return { inBackground: (await standstill?.inBackground) ?? 0 };
    } catch (error) {
      if (this.standstill === standstill) this.thaw();
      throw error;
    }
  }

  /** Ends a freeze: everything goes on, and a snapshot that is under way breaks off. False where there was none, and nothing is changed. */
  thaw(): boolean {
    if (!this.standstill) return false;
    this.standstill.it.end();
    this.standstill = undefined;
    this.quiescing = undefined;
    this.state = 'ready';
    this.reporter.resume();
    return true;
  }

  /** `already` where this task was taken before. @throws AgentError `busy`, `not_ready` */
  runTask(request: TaskRequest): 'accepted' | 'already' {
    if (this.taken.has(request.taskId)) return 'already';
    // A task waits for no checkpoint.
    this.thaw();
    if (this.state !== 'ready') throw new AgentError('not_ready', `the pod is ${this.state} and takes no tasks`);
    if (this.current) throw new AgentError('busy', `task ${this.taskId} is running`);
    this.taken.add(request.taskId);
    // A workspace that its owner cannot enter: no task could begin in it, nor ever change that.
    openUpSelf(this.workspace, 0o700);
    const task = new Task({
      ...request,
      timeoutSeconds: request.timeoutSeconds ?? this.config.taskTimeoutSeconds,
      command: this.config.command,
      env: { ...this.config.taskEnv, REPRISE_TASK_ID: request.taskId },
      cwd: this.config.workspaceDir,
    });
    const startedAt = new Date().toISOString();
    this.current = { task, startedAt, settled: this.follow(task, startedAt) };
    return 'accepted';
  }

  /** @throws AgentError `not_found` where this task does not run */
  cancelTask(taskId: string, reason: string): void {
    if (this.taskId !== taskId) throw new AgentError('not_found', `task ${taskId} is not running`);
    this.current?.task.stop('cancelled', reason);
  }

  history(): Promise<Readable> {
    return this.conversation?.read() ?? readConversation(this.files);
  }

  /**
   * @param out is asked for once nothing stands against the snapshot
   * @throws AgentError `not_quiesced`, also in the middle, when work is resumed while the snapshot is made; `snapshot_too_large`
   */
  async snapshot(limits: SnapshotLimits, out: () => Writable): Promise<SnapshotResult> {
    const rest = this.quiescing;
    const assertQuiesced = (): void => {
      if (this.state !== 'quiesced' || this.quiescing !== rest) throw new AgentError('not_quiesced', 'the pod is not quiesced');
    };
    assertQuiesced();
    await rest;
    assertQuiesced();
    const standstill = this.standstill?.it;
    standstill?.hold();
    try {
      return await writeSnapshot(this.workspace, out, limits, assertQuiesced);
    } finally {
      standstill?.release();
    }
  }

  /** @throws AgentError `not_starting`, `restore_in_progress`, and those of restoreWorkspace */
  async restore(tar: Readable, sha256: string): Promise<RestoreResult> {
    if (this.state !== 'starting' || this.waking)
      throw new AgentError('not_starting', `the pod is ${this.state}: only a starting one is restored`);
    if (this.restoring) throw new AgentError('restore_in_progress', 'the workspace is being restored');
    this.restoring = true;
    try {
      return await restoreWorkspace(tar, this.workspace, sha256);
    } finally {
      this.restoring = false;
    }
  }

  /** Ends everything that the pod runs. What was running is told to have been cancelled. */
  async shutDown(): Promise<void> {
    if (this.state === 'starting') return;
    this.thaw();
    this.state = 'quiesced';
    const { current } = this;
    current?.task.stop('cancelled', 'pod_stopped');
    await current?.settled;
    // To come to rest is to end what tasks have left, and a pod at rest takes none.
    if (this.quiescing) await this.quiescing;
    else await this.processes.end();
    await this.reporter.flush(FLUSH_MS);
    await this.reporter.pause();
    await this.conversation?.close();
  }

  private async wakeUp(): Promise<void> {
    const conversation = await Conversation.open(this.files, this.config.generation);
    try {
      await conversation.append({ type: 'pod.started' });
      await this.tellMoved(conversation);
    } catch (error) {
      // A restore may come before the next attempt, and would take the file away from under it.
      await conversation.close();
      throw error;
    }
    this.conversation = conversation;
    await this.reporter.start(this.files);
    this.state = 'ready';
  }

  private async tellMoved(conversation: Conversation): Promise<void> {
    for (const { path, to } of this.moved.splice(0)) await conversation.append({ type: 'file.moved', path, to });
  }

  private standStill(): void {
    const it = new Standstill(this.processes, () => void this.thaw());
    const inBackground = it.begin();
    this.state = 'quiesced';
    this.standstill = { it, inBackground };
    // The agent writes, too: what it has to tell stands in the workspace until it is told.
    this.quiescing = inBackground.then(async () => {
      if (!it.isOver) await this.reporter.flush(FLUSH_MS);
      if (!it.isOver) await this.reporter.pause();
      return { interruptedTaskId: null };
    });
    this.quiescing.catch(() => undefined);
  }

  private async comeToRest(reason: string): Promise<Quiesced> {
    const { current } = this;
    const isInterrupted = current?.task.stop('cancelled', reason) ?? false;
    if (current && isInterrupted) this.interrupted.add(current.task);
    await current?.settled;
    // What tasks left in the background would write into the snapshot; ended now, they can still save what they hold.
    const left = await this.processes.end();
    if (left.length > 0) throw new Error(`processes outlived SIGKILL: ${left.map(({ pid }) => pid).join(', ')}`);
    await this.reporter.flush(FLUSH_MS);
    await this.reporter.pause();
    if (!current || !isInterrupted) return { interruptedTaskId: null };
    const { output } = await current.task.ended;
    return { interruptedTaskId: current.task.spec.taskId, ...(output === undefined ? {} : { interruptedTaskOutput: output }) };
  }

  /** Keeps the record of one task, from its start to its end. Never rejects: a full disk must not stop the agent. */
  private async follow(task: Task, startedAt: string): Promise<void> {
    const { taskId, description } = task.spec;
    const record = async (act: Promise<unknown> | undefined): Promise<void> => {
      await act?.catch((error: unknown) => log('error', 'cannot write the conversation', { task_id: taskId, error: messageOf(error) }));
    };
    log('info', 'task started', { task_id: taskId });
    await record(this.conversation?.append({ type: 'task.started', task_id: taskId, description }));
    await this.reporter.add(taskId, { status: 'running', started_at: startedAt });
    const end: TaskEnd = await task.ended;
    log('info', 'task ended', { task_id: taskId, status: end.status, reason: end.reason });
    await record(this.conversation?.append({ type: 'task.ended', task_id: taskId, ...end }));
    await record(this.conversation && this.tellMoved(this.conversation));
    if (this.interrupted.has(task)) await this.reporter.forget(taskId);
    else await this.reporter.add(taskId, { ...end, started_at: startedAt, completed_at: new Date().toISOString() });
    this.current = undefined;
  }
}
