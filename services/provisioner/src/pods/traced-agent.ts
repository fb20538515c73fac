import type { Readable } from 'node:stream';
import { inSpan } from '@reprise/platform';
import type { Encoding } from '../snapshots/encoding';
import type { SnapshotLimits } from '../snapshots/limits';
import type { AgentAtRest, AgentHealth, AgentSnapshot, AgentTask, AgentUpload, PodAgent, UploadTarget } from './agent-client.types';
import type { PodIdentity } from './pod-driver';
import { aboutPod } from './traced-pod-driver';

/** An agent whose calls are spans of whatever makes them, those apart through which files flow. */
export class TracedAgent implements PodAgent {
  private readonly about: ReturnType<typeof aboutPod>;

  constructor(
    private readonly agent: PodAgent,
    pod: PodIdentity,
  ) {
    this.about = aboutPod(pod);
  }

  health(): Promise<AgentHealth> {
    return inSpan('agent health', this.about, () => this.agent.health());
  }

  quiesce(reason: string): Promise<AgentAtRest> {
    return inSpan('agent quiesce', this.about, () => this.agent.quiesce(reason));
  }

  resumeWork(): Promise<void> {
    return inSpan('agent resume-work', this.about, () => this.agent.resumeWork());
  }

  freeze(): Promise<{ inBackground: number }> {
    return inSpan('agent freeze', this.about, () => this.agent.freeze());
  }

  thaw(): Promise<boolean> {
    return inSpan('agent thaw', this.about, () => this.agent.thaw());
  }

  /** No span: its bytes come later. Whoever moves them has it (`TransferThread`), as of `restore`. */
  snapshot(limits: SnapshotLimits): Promise<AgentSnapshot> {
    return this.agent.snapshot(limits);
  }

  restore(tar: Readable, expected: { sha256: string }): Promise<{ entries: number; bytes: number }> {
    return this.agent.restore(tar, expected);
  }

  upload(to: UploadTarget, limits: SnapshotLimits, signal: AbortSignal): Promise<AgentUpload> {
    return inSpan('agent upload', this.about, () => this.agent.upload(to, limits, signal));
  }

  download(
    address: string,
    expected: { sha256: string; encoding: Encoding },
    signal: AbortSignal,
  ): Promise<{ entries: number; bytes: number }> {
    return inSpan('agent download', this.about, () => this.agent.download(address, expected, signal));
  }

  runTask(task: AgentTask): Promise<'accepted' | 'already'> {
    return inSpan('agent run-task', this.about, () => this.agent.runTask(task));
  }

  cancelTask(taskId: string, reason: string): Promise<boolean> {
    return inSpan('agent cancel-task', this.about, () => this.agent.cancelTask(taskId, reason));
  }

  history(): Promise<string> {
    return inSpan('agent history', this.about, () => this.agent.history());
  }
}
