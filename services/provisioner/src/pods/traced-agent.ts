import type { Readable } from 'node:stream';
import { errorType, inSpan, openSpan } from '@reprise/platform';
import type { Encoding } from '../snapshots/encoding';
import type { AgentHealth, AgentSnapshot, AgentTask, AgentUpload, PodAgent, UploadTarget } from './agent-client.types';
import type { PodIdentity } from './pod-driver';
import { aboutPod } from './traced-pod-driver';

/** An agent whose calls are spans of whatever makes them. */
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

  quiesce(reason: string): Promise<{ interruptedTaskId: string | null }> {
    return inSpan('agent quiesce', this.about, () => this.agent.quiesce(reason));
  }

  resumeWork(): Promise<void> {
    return inSpan('agent resume-work', this.about, () => this.agent.resumeWork());
  }

  /** Its span lasts until the last byte is here, not only until the first. */
  async snapshot(): Promise<AgentSnapshot> {
    const span = openSpan('agent snapshot', this.about);
    const failed = (error: unknown): void => {
      span?.fail(errorType(error));
      span?.end();
    };
    try {
      const snapshot = await this.agent.snapshot();
      snapshot.digest.then(() => span?.end(), failed);
      return snapshot;
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  restore(tar: Readable, expected: { sha256: string }): Promise<{ entries: number; bytes: number }> {
    return inSpan('agent restore', this.about, () => this.agent.restore(tar, expected));
  }

  upload(to: UploadTarget, signal: AbortSignal): Promise<AgentUpload> {
    return inSpan('agent upload', this.about, () => this.agent.upload(to, signal));
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
