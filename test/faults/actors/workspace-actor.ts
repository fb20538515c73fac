import { setTimeout as delay } from 'node:timers/promises';
import type { WorkspaceView } from '@reprise/contracts';
import type { Json } from '../../support/json';
import type { Random } from '../support/random';
import { codeOf, must, told } from '../support/rest';
import { Tasks } from './tasks';
import type { TenantOfRun } from './tenants';
import { Witness } from './witness';
import type { World } from './world';

type Verb = 'restart' | 'stop' | 'resume';

/** Attempts to bring a workspace up at the end: a pod may have been killed by the last of the faults, which is found out meanwhile. */
const FINAL_ATTEMPTS = 4;

/**
 * Someone who uses one workspace. He is alone in it, so whatever he did not do, nobody did; after every step he compares what is in it with what
 * must be.
 */
export class WorkspaceActor {
  private constructor(
    private readonly world: World,
    private readonly tenant: TenantOfRun,
    private readonly stranger: TenantOfRun,
    private readonly random: Random,
    private readonly witness: Witness,
    private readonly tasks: Tasks,
  ) {}

  /** Someone with a new workspace. */
  static async create(world: World, tenant: TenantOfRun, stranger: TenantOfRun, random: Random, number: number): Promise<WorkspaceActor> {
    const made = must(201, await tenant.rest.post<WorkspaceView>('/v1/workspaces', { role_id: tenant.roleId }, { repeat: true }));
    const witness = new Witness(made.id, `workspace ${number} (${made.id})`, world, tenant);
    await witness.ended('create', made.operation!.id);
    const tasks: Tasks = new Tasks(witness, tenant.rest, world.ledger, random, (code) => actor.explain(code));
    const actor = new WorkspaceActor(world, tenant, stranger, random, witness, tasks);
    return actor;
  }

  get id(): string {
    return this.witness.id;
  }

  /** One thing that a user does, and all that must be true after it. */
  async step(): Promise<void> {
    const { status, snapshot_ref: snapshot } = await this.witness.settled();
    if (status === 'failed') return this.resume(snapshot);
    if (status === 'stopped') return this.whileStopped(snapshot);
    if (status === 'busy') return this.free();
    if (!(await this.witness.present())) return;
    switch (this.random.weighted({ work: 30, restart: 24, command: 12, force: 14, stop: 12, refusal: 4, stranger: 4 })) {
      case 'work':
        return this.tasks.work();
      case 'restart':
        return this.operate('restart');
      case 'command':
        return this.restartByMessage();
      case 'force':
        return this.tasks.meanwhile((hasEnded) => this.restartByForce(hasEnded));
      case 'stop':
        return this.operate('stop');
      case 'refusal':
        return this.refused('resume', 'invalid_state');
      case 'stranger':
        return this.hidden();
    }
  }

  /**
   * A tenant that has not paid can read and stop, and no more. Nobody else may be at work for this tenant meanwhile.
   * @returns whether the workspace was in a state to show it
   */
  async unpaidStep(): Promise<boolean> {
    const { status, generation } = await this.witness.settled();
    if (status !== 'idle' || !(await this.witness.present())) return false;
    await this.tenant.posture.set('past_due');
    try {
      for (const [path, body] of [['restart'], ['tasks', { description: 'echo no' }]] as const) {
        const answer = await this.post(path, body);
        this.world.ledger.count('refusals', codeOf(answer));
        this.witness.check(8, codeOf(answer) === 'billing_inactive', () => `is past due, and ${path} was answered ${told(answer)}`);
      }
      const after = await this.witness.see();
      this.witness.check(9, after.generation === generation, () => 'is past due, and its generation was raised');
      const stop = await this.post<{ operation_id: string }>('stop');
      this.witness.check(8, stop.status === 202 || this.witness.lost(), () => `is past due, and stop was answered ${told(stop)}`);
      if (stop.status === 202) await this.witness.ended('stop', stop.body.operation_id);
    } finally {
      await this.tenant.posture.set('active');
    }
    return true;
  }

  /** At the end: brings it up, and looks once more whether everything is in it. */
  async final(): Promise<void> {
    for (let attempt = 0; attempt < FINAL_ATTEMPTS; attempt++) {
      const { status, snapshot_ref: snapshot } = await this.witness.settled();
      if (status === 'idle' && (await this.witness.present())) return;
      if (status === 'busy') await this.free();
      if (status === 'stopped' || status === 'failed') await this.resume(snapshot);
    }
    const { status } = await this.witness.see();
    this.witness.check(10, false, () => `is ${status} at the end, and cannot be brought up`);
  }

  private async restartByForce(hasEnded: () => Promise<boolean>): Promise<void> {
    if (this.random.chance(0.5)) {
      const answer = await this.post<Json>('restart');
      if (answer.status === 202) {
        // An agent that cannot be understood for long may run a task that is on record as not delivered.
        this.witness.check(9, await hasEnded(), () => `is busy, and a restart was answered ${told(answer)}`);
        return this.witness.ended('restart', answer.body.operation_id as string);
      }
      this.world.ledger.count('refusals', codeOf(answer));
      const right = codeOf(answer) === 'workspace_busy' || (codeOf(answer) === 'invalid_state' && this.witness.lost());
      this.witness.check(9, right, () => `is busy, and a restart was answered ${told(answer)}`);
    }
    await this.operate('restart', 'restart?force=true');
  }

  private async restartByMessage(): Promise<void> {
    const outcome = await this.command('reprise.workspace.restart.v1', this.tenant);
    this.world.ledger.count('commands by message', outcome.code ?? 'accepted');
    if (outcome.answer) await this.witness.ended('restart', outcome.answer.operation_id as string);
    else if (outcome.code) this.explain(outcome.code as string);
  }

  private async whileStopped(snapshot: string | null): Promise<void> {
    const doing = this.random.weighted({ resume: 70, archive: 15, refusal: 15 });
    if (doing === 'resume') return this.resume(snapshot);
    if (doing === 'refusal') return this.refused('restart', 'invalid_state');
    must(200, await this.post('archive', undefined, true));
    await this.refused('resume', 'workspace_archived');
    must(200, await this.post('unarchive', undefined, true));
  }

  private async resume(snapshot: string | null): Promise<void> {
    if (this.witness.expects(snapshot)) await this.operate('resume');
  }

  private async operate(verb: Verb, path: string = verb): Promise<void> {
    const answer = await this.post<{ operation_id: string }>(path, undefined, this.random.chance(0.3));
    this.world.ledger.count('answers', `${verb} ${answer.status} ${codeOf(answer)}`.trim());
    if (answer.status === 202) await this.witness.ended(verb, answer.body.operation_id);
    else this.explain(codeOf(answer));
  }

  /** Only a pod that was lost meanwhile explains the refusal of what the state allowed. */
  private explain(code: string): void {
    const why = code === 'invalid_state' && this.witness.lost();
    this.witness.check(9, why, () => `was in a state that allowed it, and something was refused: ${code}`);
  }

  /** What must be refused is, with this code, and changes nothing. */
  private async refused(verb: Verb, code: string): Promise<void> {
    const before = await this.witness.see();
    const answer = await this.post<Json>(verb, undefined, this.random.chance(0.5));
    // Its pod was lost and found out between the two: a resume is right then.
    if (answer.status === 202 && this.witness.lost()) return this.witness.ended(verb, answer.body.operation_id as string);
    this.world.ledger.count('refusals', codeOf(answer));
    this.witness.check(9, codeOf(answer) === code, () => `is ${before.status}: ${verb} was answered ${told(answer)}, not ${code}`);
    const after = await this.witness.see();
    const same = after.generation === before.generation && (after.status === before.status || after.status === 'failed');
    this.witness.check(
      9,
      same,
      () => `was ${before.status}, ${before.generation}, and after a refusal is ${after.status}, ${after.generation}`,
    );
  }

  /** For another tenant it does not exist, whichever way he comes. */
  private async hidden(): Promise<void> {
    const { rest } = this.stranger;
    const path = `/v1/workspaces/${this.id}`;
    const answers = [
      await rest.get(path),
      await rest.post(`${path}/restart?force=true`),
      await rest.post(`${path}/tasks`, { description: 'rm -rf *' }),
      await rest.post(`${path}/stop`),
    ];
    for (const answer of answers) {
      // Billing is asked first, and knows of no workspace.
      const hidden = ['workspace_not_found', 'billing_inactive'].includes(codeOf(answer));
      this.witness.check(7, hidden, () => `was shown to a stranger: ${told(answer)}`);
    }
    const outcome = await this.command('reprise.workspace.stop.v1', this.stranger);
    if (Object.keys(outcome).length === 0) return;
    this.witness.check(7, outcome.code === 'workspace_not_found', () => `was shown to a stranger: ${JSON.stringify(outcome)}`);
  }

  /** Sends a command about this workspace as an internal publisher, and learns what became of it. */
  private async command(type: string, { org }: TenantOfRun): Promise<Json> {
    const { bus, ledger } = this.world;
    const correlationId = await bus.command(type, org, { workspace_id: this.id });
    const what = `${this.witness.name}: what became of ${type} ${correlationId}`;
    const outcome = await ledger.waits.during(what, () => bus.outcome(correlationId)).catch(() => null);
    if (outcome === null) this.world.untold(correlationId, `${this.witness.name} was sent ${type}`);
    return outcome ?? {};
  }

  /** Busy although nobody waits for it any more. */
  private async free(): Promise<void> {
    await this.tasks.cancel();
    await delay(500);
    await this.witness.present();
  }

  private post<T = Json>(path: string, body?: unknown, repeat = false) {
    return this.tenant.rest.post<T>(`/v1/workspaces/${this.id}/${path}`, body, { repeat });
  }
}
