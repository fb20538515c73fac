import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskView } from '@reprise/contracts';
import type { Ledger } from '../support/ledger';
import type { Random } from '../support/random';
import { codeOf, type Rest } from '../support/rest';
import { endless, logOf, stateOf, writing } from './files';
import { Stuck, type Witness } from './witness';

const BEGUN_WITHIN_MS = 60_000;
const ENDED_WITHIN_MS = 420_000;

/** A task that was accepted, and the line by which it is known in the workspace's log. */
interface Task {
  id: string;
  nonce: string;
}

/** Tasks in one workspace: what they were to write, and that they did it once. */
export class Tasks {
  constructor(
    private readonly witness: Witness,
    private readonly rest: Rest,
    private readonly ledger: Ledger,
    private readonly random: Random,
    /** Judges a refusal of what should have been accepted. */
    private readonly refused: (code: string) => void,
  ) {}

  /** Runs a task that writes files, to its end. */
  async work(): Promise<void> {
    const task = await this.submit((nonce) => writing(nonce, this.random.between(1, 160)));
    if (task) await this.waitFor(task, false);
  }

  /** Does something while a task runs that would never end by itself; `hasEnded` tells whether it is on record as ended all the same. */
  async meanwhile(doing: (hasEnded: () => Promise<boolean>) => Promise<void>): Promise<void> {
    const task = await this.submit(endless);
    if (!task) return;
    const hasEnded = async () => (await this.rest.task(this.witness.id, task.id)).completed_at !== null;
    if (await this.begun(task)) await doing(hasEnded);
    // Whatever was done may have failed before it interrupted the task.
    await this.waitFor(task, true);
  }

  private waitFor(task: Task, end: boolean): Promise<void> {
    return this.ledger.waits.during(`${this.witness.name}: the end of the task ${task.id}`, () => this.over(task, end));
  }

  /** Ends whatever runs. */
  async cancel(): Promise<void> {
    await this.rest.post(`/v1/workspaces/${this.witness.id}/task/cancel`);
  }

  private async submit(description: (nonce: string) => string): Promise<Task | null> {
    const nonce = randomBytes(6).toString('hex');
    const path = `/v1/workspaces/${this.witness.id}/tasks`;
    const repeat = this.random.chance(0.2);
    const answer = await this.rest.post<{ task_id: string }>(path, { description: description(nonce) }, { repeat });
    this.ledger.count('answers', `task ${answer.status} ${codeOf(answer)}`.trim());
    if (answer.status === 202) return { id: answer.body.task_id, nonce };
    this.refused(codeOf(answer));
    return null;
  }

  /** Waits until the task has written its line: what is in the workspace then stays as it is. False where it ended instead. */
  private async begun({ id, nonce }: Task): Promise<boolean> {
    for (const until = Date.now() + BEGUN_WITHIN_MS; Date.now() < until; await delay(100)) {
      const pod = this.witness.pod();
      if (pod && logOf(pod).includes(nonce) && this.learned()) return true;
      if ((await this.rest.task(this.witness.id, id)).completed_at !== null) return false;
    }
    return false;
  }

  /** Waits for the task's end; where it is to be ended, asks for it again and again. @throws Stuck */
  private async over({ id, nonce }: Task, end: boolean): Promise<void> {
    for (const until = Date.now() + ENDED_WITHIN_MS; ; await delay(300)) {
      const view = await this.rest.task(this.witness.id, id);
      if (view.completed_at !== null) {
        this.ledger.count('tasks', `${view.status}${view.reason ? `: ${view.reason}` : ''}`);
        return this.judge(nonce, view);
      }
      const inTime = this.witness.check(
        10,
        Date.now() < until,
        () => `has the task ${id}, ${view.status}, for ${ENDED_WITHIN_MS / 1000} s`,
      );
      if (!inTime) throw new Stuck(id);
      if (end) await this.cancel();
    }
  }

  /** A task that has completed has run once, and no task has run twice. */
  private async judge(nonce: string, { status }: TaskView): Promise<void> {
    const pod = this.witness.pod();
    if (!pod || !this.learned()) return;
    const times = logOf(pod).filter((line) => line === nonce).length;
    const workspace = await this.witness.see();
    // Of a pod that a fault has ended since nothing can be said.
    if (workspace.status === 'failed' || this.witness.lost() || this.witness.pod()?.pid !== pod.pid) return;
    const right = status === 'completed' ? times === 1 : times <= 1;
    this.witness.check(5, right, () => `has a task that is ${status} and was run ${times} times (${nonce})`);
  }

  /** What a task has changed is what must be there from now on; what was said before still stands. */
  private learned(): boolean {
    const pod = this.witness.pod();
    const state = pod && stateOf(pod);
    if (!state) return false;
    const { conversation } = this.witness.known;
    const kept = conversation.every((line, index) => state.conversation[index] === line);
    this.witness.check(4, kept, () => 'has lost part of its conversation while a task ran');
    this.witness.known = state;
    return true;
  }
}
