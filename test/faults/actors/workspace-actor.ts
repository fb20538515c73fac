import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { OperationView, TaskView, WorkspaceView } from '@reprise/contracts';
import { eventually } from '../../support';
import type { Json } from '../../support/json';
import type { Pod } from '../../support/pods';
import { OPERATION_DEADLINE_SECONDS } from '../support/fleet';
import { codeOf, must, told } from '../support/rest';
import type { Random } from '../support/random';
import { difference, endless, logOf, NOTHING, type State, stateOf, writing } from './files';
import type { TenantOfRun } from './tenants';
import type { World } from './world';

/** A deadline that passes while everything is down is told when it is up again. */
const OPERATION_WITHIN_MS = (OPERATION_DEADLINE_SECONDS + 120) * 1000;
const SETTLED_WITHIN_MS = 120_000;
const TASK_WITHIN_MS = 240_000;

type Verb = 'restart' | 'stop' | 'resume';

/**
 * Someone who uses one workspace, and knows what must be in it: after every step he compares. He is alone in it, so whatever he did not do, nobody did.
 */
export class WorkspaceActor {
  id = '';
  private name = '';
  /** What each snapshot holds, by its id. */
  private readonly snapshots = new Map<string, State>();
  /** What was in the workspace when it was last looked at. */
  private known: State = NOTHING;
  private steps = 0;

  constructor(
    private readonly world: World,
    private readonly tenant: TenantOfRun,
    private readonly stranger: TenantOfRun,
    private readonly random: Random,
    private readonly number: number,
  ) {}

  async create(): Promise<void> {
    const made = must(201, await this.rest.post<WorkspaceView>('/v1/workspaces', { role_id: this.tenant.roleId }, { repeat: true }));
    this.id = made.id;
    this.name = `workspace ${this.number} (${made.id})`;
    await this.ended('create', made.operation!.id);
  }

  /** One thing that a user does, and all that must be true after it. */
  async step(): Promise<void> {
    this.steps++;
    const workspace = await this.settled();
    if (workspace.status === 'failed') return this.resume(workspace);
    if (workspace.status === 'stopped') return this.whileStopped(workspace);
    if (workspace.status === 'busy') return this.taskOver(workspace);
    const pod = await this.present();
    if (!pod) return;
    const doing = this.random.weighted({ task: 30, restart: 24, command: 12, force: 14, stop: 12, refusal: 4, stranger: 4 });
    if (doing === 'task') return this.work();
    if (doing === 'restart') return this.operate('restart', `/v1/workspaces/${this.id}/restart`);
    if (doing === 'command') return this.restartByMessage();
    if (doing === 'force') return this.restartWhileBusy();
    if (doing === 'stop') return this.operate('stop', `/v1/workspaces/${this.id}/stop`);
    if (doing === 'refusal') return this.refused('resume', 'invalid_state');
    return this.hidden();
  }

  /** The same, of a tenant that has not paid. Nobody else may be at work for this tenant meanwhile. */
  async unpaidStep(): Promise<void> {
    const { status } = await this.settled();
    if (status !== 'idle' || !(await this.present())) return;
    await this.unpaid();
  }

  /** At the end: brings it up, and looks once more whether everything is in it. */
  async final(): Promise<void> {
    for (let attempt = 0; attempt < 4; attempt++) {
      const workspace = await this.settled();
      if (workspace.status === 'idle' && (await this.present())) return;
      if (workspace.status === 'busy') await this.taskOver(workspace);
      if (workspace.status === 'stopped' || workspace.status === 'failed') await this.resume(workspace);
    }
    const { status } = await this.rest.see(this.id);
    this.ledger.check(10, false, () => `${this.name} is ${status} at the end, and cannot be brought up`);
  }

  /** Waits until no operation is on its way. */
  private async settled(): Promise<WorkspaceView> {
    let workspace = await this.rest.see(this.id);
    for (const until = Date.now() + OPERATION_WITHIN_MS; workspace.operation; workspace = await this.rest.see(this.id)) {
      const { id, kind } = workspace.operation;
      if (!this.ledger.check(10, Date.now() < until, () => `${this.name} is ${workspace.status} for minutes, by ${kind} ${id}`))
        throw new Stuck(id);
      await delay(200);
    }
    return workspace;
  }

  /** The pod of an idle workspace, with everything in it that must be there; null where it has been lost, which Reprise must find out soon. */
  private async present(): Promise<Pod | null> {
    for (const until = Date.now() + SETTLED_WITHIN_MS; ; await delay(200)) {
      const { status, operation, generation } = await this.rest.see(this.id);
      if (status !== 'idle' || operation) return null;
      const [pod] = this.world.pods.of(this.id);
      const state = pod && stateOf(pod);
      if (state) {
        this.compare(this.known, state, `idle, generation ${generation}`);
        this.known = state;
        return pod;
      }
      if (!this.ledger.check(10, Date.now() < until, () => `${this.name} is idle, and has had no pod for ${SETTLED_WITHIN_MS / 1000} s`))
        return null;
    }
  }

  private async work(): Promise<void> {
    const nonce = randomBytes(6).toString('hex');
    const task = await this.submit(writing(nonce, this.random.between(1, 160)));
    if (!task) return;
    const ended = await this.taskEnded(task);
    this.ledger.count('tasks', endOf(ended));
    await this.learn(nonce, ended);
  }

  /** What a task has changed is what must be there from now on. */
  private async learn(nonce: string, { status }: Pick<TaskView, 'status'>): Promise<void> {
    const [pod] = this.world.pods.of(this.id);
    const state = pod && stateOf(pod);
    if (!pod || !state) return;
    const times = logOf(pod).filter((line) => line === nonce).length;
    const right = status === 'completed' ? times === 1 : times <= 1;
    if (!this.world.pods.wasKilled(pod) && (await this.isUp(pod))) {
      this.ledger.check(5, right, () => `${this.name}: a task that is ${status} was run ${times} times (${nonce})`);
    }
    this.compareLines(this.known, state, nonce);
    this.known = state;
  }

  private async restartWhileBusy(): Promise<void> {
    const nonce = randomBytes(6).toString('hex');
    const task = await this.submit(endless(nonce));
    if (!task) return;
    const begun = await this.begun(task, nonce);
    if (!begun) return void (await this.cancel(task, nonce));
    if (this.random.chance(0.5)) {
      const answer = await this.rest.post(`/v1/workspaces/${this.id}/restart`);
      const lost = answer.status === 409 && codeOf(answer) === 'invalid_state';
      this.ledger.check(
        9,
        lost || codeOf(answer) === 'workspace_busy',
        () => `${this.name} is busy, and a restart was answered ${told(answer)}`,
      );
      this.ledger.count('refusals', codeOf(answer));
    }
    await this.operate('restart', `/v1/workspaces/${this.id}/restart?force=true`);
    // A restart that fails before it has interrupted the task lets it run on.
    await this.cancel(task, nonce);
  }

  /** Waits until a task has written its line: what is in the workspace then stays as it is. */
  private async begun(task: string, nonce: string): Promise<boolean> {
    for (const until = Date.now() + 60_000; Date.now() < until; await delay(100)) {
      const [pod] = this.world.pods.of(this.id);
      if (pod && logOf(pod).includes(nonce)) {
        const state = stateOf(pod);
        if (!state) continue;
        this.compareLines(this.known, state, nonce);
        this.known = state;
        return true;
      }
      if ((await this.rest.task(this.id, task)).completed_at) return false;
    }
    return false;
  }

  /** Waits for a task's end, and brings it about where nothing else does. */
  private async cancel(task: string, nonce: string): Promise<void> {
    for (const until = Date.now() + TASK_WITHIN_MS; Date.now() < until; await delay(500)) {
      const view = await this.rest.task(this.id, task);
      if (view.completed_at) {
        this.ledger.count('tasks', endOf(view));
        return this.learn(nonce, view);
      }
      await this.rest.post(`/v1/workspaces/${this.id}/task/cancel`);
    }
    this.ledger.check(10, false, () => `${this.name}: the task ${task} cannot be cancelled`);
    throw new Stuck(task);
  }

  private async restartByMessage(): Promise<void> {
    const before = this.known;
    const command = await this.world.bus.command('reprise.workspace.restart.v1', this.tenant.org, { workspace_id: this.id });
    const outcome = await this.told(command);
    this.ledger.count('commands by message', outcome.code ?? 'accepted');
    if (!outcome.answer) return this.ledgerRefused(outcome.code as string);
    await this.ended('restart', outcome.answer.operation_id as string, before);
  }

  private async told(command: string): Promise<Json> {
    try {
      const outcome = await this.world.bus.outcome(command);
      this.ledger.check(5, true, () => '');
      return outcome;
    } catch (error) {
      this.ledger.check(5, false, () => `${this.name}: ${(error as Error).message}`);
      throw error;
    }
  }

  /** A refusal that only a pod that was lost meanwhile explains. */
  private ledgerRefused(code: string): void {
    const lost = this.world.pods.lostOf(this.id);
    this.ledger.check(9, lost && code === 'invalid_state', () => `${this.name} was idle, and a restart was refused: ${code}`);
  }

  private async whileStopped(workspace: WorkspaceView): Promise<void> {
    const doing = this.random.weighted({ resume: 70, archive: 15, refusal: 15 });
    if (doing === 'resume') return this.resume(workspace);
    if (doing === 'refusal') return this.refused('restart', 'invalid_state');
    must(200, await this.rest.post(`/v1/workspaces/${this.id}/archive`, undefined, { repeat: true }));
    await this.refused('resume', 'workspace_archived');
    must(200, await this.rest.post(`/v1/workspaces/${this.id}/unarchive`, undefined, { repeat: true }));
  }

  private async resume(workspace: WorkspaceView): Promise<void> {
    const state = workspace.snapshot_ref === null ? NOTHING : this.snapshots.get(workspace.snapshot_ref);
    if (!this.ledger.check(4, state !== undefined, () => `${this.name} has the snapshot ${workspace.snapshot_ref}, which nobody took`))
      return;
    this.known = state!;
    await this.operate('resume', `/v1/workspaces/${this.id}/resume`);
  }

  private async operate(verb: Verb, path: string): Promise<void> {
    const before = this.known;
    const answer = await this.rest.post<{ operation_id: string }>(path, undefined, { repeat: this.random.chance(0.3) });
    this.ledger.count('answers', `${verb} ${answer.status} ${codeOf(answer)}`.trim());
    if (answer.status === 202) return this.ended(verb, answer.body.operation_id, before);
    this.ledgerRefused(codeOf(answer));
  }

  /** Waits for the end of an operation and compares what is there with what was there before it. */
  private async ended(kind: string, id: string, before: State = NOTHING): Promise<void> {
    this.world.accepted(id, this.id);
    const operation = await this.end(id);
    this.ledger.count('operations', `${kind} ${operation.status}${operation.error ? `: ${operation.error.code}` : ''}`);
    const { status, snapshot_ref: snapshot, generation, last_snapshot_error: error } = await this.rest.see(this.id);
    if (snapshot !== null && !this.snapshots.has(snapshot)) this.snapshots.set(snapshot, before);
    const lost = this.world.pods.lostOf(this.id);
    if (operation.status === 'failed') {
      this.ledger.note(
        `${this.name}: ${kind} failed, ${status}: ${operation.error?.code}: ${operation.error?.message}${error ? ` (${error})` : ''}`,
      );
      const saved = snapshot === null ? NOTHING : this.snapshots.get(snapshot)!;
      if (status === 'failed' && kind !== 'create' && !lost) {
        const gone = difference(before, saved);
        this.ledger.check(
          3,
          gone === null,
          () => `${this.name} failed to ${kind} (${operation.error?.code}), and what was in it is in no snapshot: ${gone}`,
        );
      }
      return;
    }
    const goal = kind === 'stop' ? 'stopped' : 'idle';
    this.ledger.check(4, status === goal || lost, () => `${this.name}: ${kind} succeeded, and it is ${status}`);
    if (goal === 'stopped') {
      this.ledger.check(2, this.world.pods.of(this.id).length === 0, () => `${this.name} is stopped, and has a pod`);
      return;
    }
    const [pod] = this.world.pods.of(this.id);
    const state = pod && stateOf(pod);
    if (!pod || !state) {
      const gone = eventually(() => lostOrThrow(this.world.pods.lostOf(this.id)), { within: 3_000 });
      await gone.catch(() => this.ledger.check(2, false, () => `${this.name}: ${kind} succeeded, and it has no pod`));
      return;
    }
    this.ledger.check(2, pod.generation === generation, () => `${this.name} is of generation ${generation}, its pod of ${pod.generation}`);
    this.compare(before, state, `after ${kind} ${id}`);
    this.known = state;
  }

  private async end(id: string): Promise<OperationView> {
    const begun = Date.now();
    for (;;) {
      const operation = await this.rest.operation(id, 15);
      if (operation.finished_at !== null) {
        this.ledger.check(1, true, () => '');
        return operation;
      }
      if (Date.now() - begun > OPERATION_WITHIN_MS) {
        this.ledger.check(10, false, () => `${this.name}: ${id} is ${operation.status} after ${(Date.now() - begun) / 1000} s`);
        throw new Stuck(id);
      }
    }
  }

  private async refused(verb: Verb, code: string): Promise<void> {
    const before = await this.rest.see(this.id);
    const answer = await this.rest.post(`/v1/workspaces/${this.id}/${verb}`, undefined, { repeat: this.random.chance(0.5) });
    this.ledger.count('refusals', codeOf(answer));
    const after = await this.rest.see(this.id);
    if (this.world.pods.lostOf(this.id) && answer.status === 202) {
      return this.ended(verb, (answer.body as { operation_id: string }).operation_id, this.known);
    }
    this.ledger.check(
      9,
      codeOf(answer) === code,
      () => `${this.name}, ${before.status}: ${verb} was answered ${told(answer)}, not ${code}`,
    );
    this.ledger.check(
      9,
      after.generation === before.generation && (after.status === before.status || after.status === 'failed'),
      () =>
        `${this.name} was ${before.status}, generation ${before.generation}; a refusal later it is ${after.status}, ${after.generation}`,
    );
  }

  /** For another tenant it does not exist, whichever way he comes. */
  private async hidden(): Promise<void> {
    const answers = [
      await this.stranger.rest.get(`/v1/workspaces/${this.id}`),
      await this.stranger.rest.post(`/v1/workspaces/${this.id}/restart?force=true`),
      await this.stranger.rest.post(`/v1/workspaces/${this.id}/tasks`, { description: 'rm -rf *' }),
      await this.stranger.rest.post(`/v1/workspaces/${this.id}/stop`),
    ];
    for (const answer of answers) {
      // Billing is asked first, and knows of no workspace.
      const hidden = ['workspace_not_found', 'billing_inactive'].includes(codeOf(answer));
      this.ledger.check(7, hidden, () => `${this.name}: a stranger was answered ${told(answer)}`);
    }
    const command = await this.world.bus.command('reprise.workspace.stop.v1', this.stranger.org, { workspace_id: this.id });
    const outcome = await this.told(command);
    this.ledger.check(
      7,
      outcome.code === 'workspace_not_found',
      () => `${this.name}: a stranger’s command was told ${JSON.stringify(outcome)}`,
    );
  }

  /** A tenant that has not paid can read and stop, and no more; once it has, it is as before. */
  private async unpaid(): Promise<void> {
    await this.tenant.posture.set('past_due');
    try {
      const before = await this.rest.see(this.id);
      for (const [path, body] of [[`restart`], [`tasks`, { description: 'echo no' }]] as const) {
        const answer = await this.rest.post(`/v1/workspaces/${this.id}/${path}`, body);
        this.ledger.check(8, codeOf(answer) === 'billing_inactive', () => `${this.name}: past due, ${path} was answered ${told(answer)}`);
        this.ledger.count('refusals', codeOf(answer));
      }
      const after = await this.rest.see(this.id);
      this.ledger.check(9, after.generation === before.generation, () => `${this.name}: past due, and its generation was raised`);
      const stop = await this.rest.post<{ operation_id: string }>(`/v1/workspaces/${this.id}/stop`);
      const lost = this.world.pods.lostOf(this.id);
      this.ledger.check(8, stop.status === 202 || lost, () => `${this.name}: past due, stop was answered ${told(stop)}`);
      if (stop.status === 202) await this.ended('stop', stop.body.operation_id, this.known);
    } finally {
      await this.tenant.posture.set('active');
    }
  }

  private async submit(description: string): Promise<string | null> {
    const answer = await this.rest.post<{ task_id: string }>(
      `/v1/workspaces/${this.id}/tasks`,
      { description },
      { repeat: this.random.chance(0.2) },
    );
    this.ledger.count('answers', `task ${answer.status} ${codeOf(answer)}`.trim());
    if (answer.status === 202) return answer.body.task_id;
    this.ledgerRefused(codeOf(answer));
    return null;
  }

  private async taskEnded(task: string): Promise<TaskView> {
    for (const until = Date.now() + TASK_WITHIN_MS; ; await delay(300)) {
      const view = await this.rest.task(this.id, task);
      if (view.completed_at !== null) return view;
      if (
        !this.ledger.check(10, Date.now() < until, () => `${this.name}: the task ${task} is ${view.status} for ${TASK_WITHIN_MS / 1000} s`)
      ) {
        throw new Stuck(task);
      }
    }
  }

  /** Busy although nobody waits for it any more: it is ended. */
  private async taskOver(_workspace: WorkspaceView): Promise<void> {
    await this.rest.post(`/v1/workspaces/${this.id}/task/cancel`);
    await delay(500);
    await this.present();
  }

  private async isUp(pod: Pod): Promise<boolean> {
    const { status, generation } = await this.rest.see(this.id);
    return status === 'idle' && this.world.pods.of(this.id)[0]?.pid === pod.pid && pod.generation <= generation;
  }

  private compare(before: State, after: State, when: string): void {
    const differing = difference(before, after);
    this.ledger.check(4, differing === null, () => `${this.name}, ${when}: ${differing}`);
  }

  /** After a task: all lines of before still stand, and at most its own has come. */
  private compareLines(before: State, after: State, nonce: string): void {
    const kept = before.conversation.every((line, index) => after.conversation[index] === line);
    this.ledger.check(4, kept, () => `${this.name}: the conversation was changed by the task ${nonce}`);
  }

  private get rest() {
    return this.tenant.rest;
  }

  private get ledger() {
    return this.world.ledger;
  }
}

/** An operation or a task that does not end: this workspace can be used no more. */
export class Stuck extends Error {}

const endOf = ({ status, reason }: TaskView) => `${status}${reason ? `: ${reason}` : ''}`;

function lostOrThrow(lost: boolean): void {
  if (!lost) throw new Error('not lost');
}
