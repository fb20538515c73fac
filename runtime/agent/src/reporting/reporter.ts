import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnFiles } from '../files/own-files';
import { log, messageOf } from '../log';
import { sendReport, type TaskReport } from './gateway';

const NAME = 'reports.json';
/** More than any agent leaves. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** As it stands in the file, which the next pod's agent reads, whichever program that is. */
interface Pending {
  readonly task_id: string;
  readonly report: TaskReport;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Tells the gateway how tasks go, one report after the other in the order in which they came, each until it is taken or
 * refused for good. What is not told yet stands in the workspace, so a pod that is replaced hands it to the next one.
 */
export class Reporter {
  private pending: Pending[] = [];
  private files: OwnFiles | undefined;
  private saved: Promise<void> = Promise.resolve();
  /** Set while sending is allowed. */
  private running: AbortController | undefined;
  private loop: Promise<void> = Promise.resolve();
  private waiters: (() => void)[] = [];

  constructor(
    private readonly gateway: URL,
    private readonly token: string,
  ) {}

  /** Takes over what stands in the workspace and begins to send. */
  async start(files: OwnFiles): Promise<void> {
    this.files = files;
    this.pending = [...(await load(files)), ...this.pending];
    this.resume();
  }

  /** Resolves once the report will survive the agent. */
  async add(taskId: string, report: TaskReport): Promise<void> {
    this.pending.push({ task_id: taskId, report });
    await this.save();
    this.wake();
  }

  /** Whatever was not told of this task is not told any more: someone else says how it ended. */
  async forget(taskId: string): Promise<void> {
    this.pending = this.pending.filter((it) => it.task_id !== taskId);
    await this.save();
  }

  /** Resolves when everything is told, or after this time; at once where nothing is being sent. */
  async flush(patienceMs: number): Promise<void> {
    if (this.pending.length === 0 || !this.running) return;
    const told = new Promise<void>((resolve) => this.waiters.push(resolve));
    await Promise.race([told, sleep(patienceMs, undefined, { ref: false })]);
  }

  /** Sends and writes nothing any more, from when it resolves. A report that was under way is sent again later. */
  async pause(): Promise<void> {
    this.running?.abort();
    this.running = undefined;
    await this.loop;
    await this.saved;
  }

  resume(): void {
    this.running ??= new AbortController();
    this.wake();
  }

  private wake(): void {
    const { running } = this;
    if (running && this.files) this.loop = this.loop.then(() => this.sendAll(running.signal));
  }

  private async sendAll(signal: AbortSignal): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const next = this.pending[0];
      if (!next) {
        for (const waiter of this.waiters.splice(0)) waiter();
        return;
      }
      const answer = await sendReport(this.gateway, this.token, next.task_id, next.report, signal);
      if (signal.aborted) return;
      if (answer.outcome === 'again') {
        log('warn', 'a task report was not taken, trying again', { task_id: next.task_id, status: next.report.status, why: answer.why });
        // Half fixed, half chance: many pods that waited for one gateway do not come back all at once.
        await sleep(wait / 2 + Math.random() * (wait / 2), undefined, { signal }).catch(() => undefined);
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
        continue;
      }
      if (answer.outcome === 'refused') {
        log('error', 'the gateway refused a task report', { task_id: next.task_id, status: next.report.status, why: answer.why });
      }
      wait = FIRST_WAIT_MS;
      this.pending = this.pending.filter((it) => it !== next);
      await this.save();
    }
  }

  /** Writes one after the other; the list may change while one is written, so each writes what is there by then. */
  private save(): Promise<void> {
    this.saved = this.saved.then(async () => {
      const { files } = this;
      if (!files) return;
      try {
        if (this.pending.length === 0) return await files.remove(NAME);
        await files.replace(NAME, JSON.stringify(this.pending));
      } catch (error) {
        // It is still told from memory; only a pod that is lost before that would lose it.
        log('error', 'cannot keep the task reports in the workspace', { error: messageOf(error) });
      }
    });
    return this.saved;
  }
}

async function load(files: OwnFiles): Promise<Pending[]> {
  try {
    const value: unknown = JSON.parse((await files.read(NAME, LARGEST_FILE)) ?? '[]');
    return Array.isArray(value) ? value.filter(isPending) : [];
  } catch (error) {
    log('error', 'cannot read the task reports of the pod before', { error: messageOf(error) });
    return [];
  }
}

function isPending(value: unknown): value is Pending {
  const it = value as Partial<Pending> | null;
  return typeof it === 'object' && typeof it?.task_id === 'string' && typeof it.report?.status === 'string';
}
