import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { AgentHealth, AgentSnapshot, AgentUpload, PodAgent } from '@reprise/provisioner/dist/pods/agent-client.types';
import type { PodIdentity } from '@reprise/provisioner/dist/pods/pod-driver';

/** A tar with nothing in it: its end alone. */
const EMPTY_TAR = Buffer.alloc(1_024);
const DIGEST = { sha256: createHash('sha256').update(EMPTY_TAR).digest('hex'), entries: 0 };

/** An agent that has done what it is asked as soon as it is asked, with an empty workspace. */
export class NoopAgent implements PodAgent {
  constructor(private readonly pod: PodIdentity) {}

  health(): Promise<AgentHealth> {
    return Promise.resolve({ status: 'ready', workspaceId: this.pod.workspaceId, generation: this.pod.generation, taskId: null });
  }

  quiesce(): Promise<{ interruptedTaskId: null }> {
    return Promise.resolve({ interruptedTaskId: null });
  }

  freeze(): Promise<{ inBackground: number }> {
    return Promise.resolve({ inBackground: 0 });
  }

  thaw(): Promise<boolean> {
    return Promise.resolve(true);
  }

  resumeWork(): Promise<void> {
    return Promise.resolve();
  }

  snapshot(): Promise<AgentSnapshot> {
    return Promise.resolve({ stream: Readable.from([EMPTY_TAR]), digest: Promise.resolve(DIGEST) });
  }

  async restore(tar: Readable): Promise<{ entries: number; bytes: number }> {
    let bytes = 0;
    for await (const chunk of tar) bytes += (chunk as Buffer).length;
    return { entries: 0, bytes };
  }

  upload(): Promise<AgentUpload> {
    return Promise.reject(new Error('The store here has no addresses'));
  }

  download(): Promise<{ entries: number; bytes: number }> {
    return Promise.reject(new Error('The store here has no addresses'));
  }

  runTask(): Promise<'accepted'> {
    return Promise.resolve('accepted');
  }

  cancelTask(): Promise<boolean> {
    return Promise.resolve(false);
  }

  history(): Promise<string> {
    return Promise.resolve('');
  }
}
