import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { type CheckpointPod, newId, PodCheckpointed, PodCheckpointFailed } from '@reprise/contracts';
import type { MessageContext, OutgoingMessage } from '@reprise/messaging';
import { addToContext, Clock } from '@reprise/platform';
import { PodAccess } from '../inventory/pod-access';
import { ProvisionerMetrics } from '../metrics/provisioner-metrics';
import { AgentError } from '../pods/agent-client.types';
import { SNAPSHOT_STORE, TRANSFERS } from '../ports/tokens';
import { ProvisionerConfig } from '../provisioner.config';
import { keyOf } from '../snapshots/object-key';
import { isTaken, type SnapshotStore } from '../snapshots/snapshot-store';
import type { SnapshotRecord } from '../snapshots/snapshots';
import type { LivePod } from '../steps/agents';
import { PodSaver } from '../steps/pod-saver';
import { failureOf } from '../steps/step';
import type { Transfers } from '../transfers/transfers';
import { CheckpointsRepository } from './checkpoints.repository';

/** At once in one process: they must not take the store and the disks from the jobs that somebody waits for. */
const AT_ONCE = 2;
/** More than these need not wait: they are asked for again. */
const WAITING_MOST = 1_000;
/** What an agent answers that has something better to do. */
const GAVE_WAY: ReadonlySet<string> = new Set(['busy', 'not_ready', 'not_found', 'method_not_allowed']);

/** A task or a job came while the checkpoint was taken. */
class InterruptedError extends Error {}

/**
 * Checkpoints of live pods. A checkpoint is no promise: one that cannot be made now, or whose process ends, is given up, and lifecycle asks for another
 * one. So nothing of it is kept here but the record of the snapshot, which counts only once it is verified.
 */
@Injectable()
export class Checkpoints implements OnModuleDestroy {
  private readonly logger = new Logger(Checkpoints.name);
  private readonly running = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly line: (() => void)[] = [];
  private active = 0;

  constructor(
    private readonly records: CheckpointsRepository,
    private readonly pods: PodAccess,
    private readonly saver: PodSaver,
    @Inject(SNAPSHOT_STORE) private readonly store: SnapshotStore,
    @Inject(TRANSFERS) private readonly transfers: Transfers,
    private readonly config: ProvisionerConfig,
    private readonly clock: Clock,
    private readonly metrics: ProvisionerMetrics,
  ) {}

  /** Begins one and returns: no delivery is held open for as long as files are sent. */
  begin(command: CheckpointPod, message: Pick<MessageContext, 'orgId' | 'actor' | 'correlationId'>): void {
    const { workspace_id: workspaceId } = command;
    addToContext({ workspaceId });
    if (this.stopping.signal.aborted || this.running.size >= WAITING_MOST || this.running.has(workspaceId)) return;
    const run = this.inTurn(() => this.take(command, message))
      .catch((error: unknown) => this.logger.warn(`The checkpoint of ${workspaceId} came to nothing: ${(error as Error).message}`))
      .finally(() => this.running.delete(workspaceId));
    this.running.set(workspaceId, run);
  }

  /** Resolves once none is under way; for tests. */
  async settled(): Promise<void> {
    await Promise.all(this.running.values());
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort(new Error('the process ends'));
    await this.settled();
  }

  private async inTurn(work: () => Promise<void>): Promise<void> {
    if (this.active < AT_ONCE) this.active += 1;
    else await new Promise<void>((begin) => this.line.push(begin));
    try {
      if (!this.stopping.signal.aborted) await work();
    } finally {
      const next = this.line.shift();
      if (next) next();
      else this.active -= 1;
    }
  }

  private async take(command: CheckpointPod, message: Pick<MessageContext, 'orgId' | 'actor' | 'correlationId'>): Promise<void> {
    const { workspace_id, pod_generation } = command;
    const pod = { workspaceId: workspace_id, generation: pod_generation };
    const tell = (type: string, data: object): OutgoingMessage => ({
      type,
      data,
      subject: workspace_id,
      orgId: message.orgId ?? null,
      actor: message.actor ?? null,
      correlationId: message.correlationId,
    });
    const id = newId('snapshot');
    const key = keyOf(workspace_id, id, 1);
    if (!(await this.records.begin(id, key, pod))) return;
    const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(this.config.transferTimeoutSeconds * 1_000)]);
    try {
      const found = await this.pods.find(pod);
      if (typeof found === 'string') throw new Error(`its pod is ${found}`);
      const takenAt = this.clock.now().toISOString();
      const { record, inBackground } = await this.saved(found, key, signal);
      await this.transfers.verify(record, signal);
      const data: PodCheckpointed = { workspace_id, pod_generation, snapshot_id: id, taken_at: takenAt, in_background: inBackground };
      await this.records.verified(id, record, tell(PodCheckpointed.type, data));
      this.metrics.saved(record);
      this.logger.log(`Checkpoint ${id} of ${workspace_id}: ${record.entries} entries, ${record.tarBytes} bytes`);
    } catch (error) {
      if (!isTaken(error)) await this.store.delete(key).catch(() => undefined);
      await this.records.forget(id);
      if (this.stopping.signal.aborted || gaveWay(error)) return;
      const { message: why } = failureOf(error);
      this.logger.warn(`The checkpoint of ${workspace_id} failed: ${why}`);
      const data: PodCheckpointFailed = { workspace_id, pod_generation, message: `checkpoint: ${why}`.slice(0, 2_000) };
      await this.records.tell(tell(PodCheckpointFailed.type, data));
    }
  }

  /** Whatever becomes of it, what the pod runs goes on: the agent sees to that by itself where this process ends. */
  private async saved(pod: LivePod, key: string, signal: AbortSignal): Promise<{ record: SnapshotRecord; inBackground: number }> {
    const { inBackground } = await pod.agent.freeze();
    const saved = await this.saver.save(pod, key, signal).catch((error: unknown) => error as Error);
    const wasFrozen = await pod.agent.thaw().catch((error: unknown) => {
      this.logger.warn(`The pod thaws by itself: ${(error as Error).message}`);
      return true;
    });
    if (!('record' in saved)) throw wasFrozen ? saved : new InterruptedError(saved.message, { cause: saved });
    return { record: saved.record, inBackground };
  }
}

/** A task came, or a job; or the agent is one that knows of no checkpoints. */
function gaveWay(error: unknown): boolean {
  return error instanceof InterruptedError || (error instanceof AgentError && GAVE_WAY.has(error.agentCode ?? ''));
}
