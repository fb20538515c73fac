import { setTimeout as delay } from 'node:timers/promises';
import type { OperationView, WorkspaceView } from '@reprise/contracts';
import { eventually } from '../../support';
import type { Pod } from '../../support/pods';
import { OPERATION_DEADLINE_SECONDS } from '../support/fleet';
import { difference, NOTHING, type State, stateOf } from './files';
import type { TenantOfRun } from './tenants';
import type { World } from './world';

/** A deadline that passes while everything is down is told when it is up again. */
const OPERATION_WITHIN_MS = (OPERATION_DEADLINE_SECONDS + 240) * 1000;
/** By then a lost pod has been found out, whatever goes wrong meanwhile. */
const FOUND_OUT_WITHIN_MS = 240_000;
/** By then a process that was killed is seen to be gone. */
const GONE_WITHIN_MS = 3_000;

/** An operation or a task that does not end: this workspace can be used no more. */
export class Stuck extends Error {}

/** Knows what must be in one workspace, and compares. */
export class Witness {
  /** What was in the workspace when it was last looked at. */
  known: State = NOTHING;
  /** What is to be brought back where an operation failed: also what is in no snapshot yet, since its pod has been left alive. */
  private owed: State | null = null;
  /** What was known of it when its pod was lost. */
  private held: State = NOTHING;
  /** Snapshots of what lost pods had left. */
  private readonly salvaged = new Set<string>();
  /**
   * What may be brought back as well: the operation was given up before it told what it had saved. Where a fault has killed the pod, only the
   * journal knows whether that was before or after its snapshot.
   */
  private perhaps: State | null = null;
  /** What each snapshot holds, by its id. */
  private readonly snapshots = new Map<string, State>();

  constructor(
    readonly id: string,
    /** For people. */
    readonly name: string,
    private readonly world: World,
    private readonly tenant: TenantOfRun,
  ) {}

  see(): Promise<WorkspaceView> {
    return this.tenant.rest.see(this.id);
  }

  /** The pod that the machine has of it at this moment, if any. */
  pod(): Pod | undefined {
    return this.world.pods.of(this.id)[0];
  }

  /** Whether a fault has ended its newest pod. */
  lost(): boolean {
    return this.world.pods.lostOf(this.id);
  }

  /** Waits until no operation is on its way. @throws Stuck */
  settled(): Promise<WorkspaceView> {
    return this.world.ledger.waits.during(`${this.name}: no operation on its way`, () => this.untilSettled());
  }

  private async untilSettled(): Promise<WorkspaceView> {
    let workspace = await this.see();
    for (const until = Date.now() + OPERATION_WITHIN_MS; workspace.operation; workspace = await this.see()) {
      const { status, operation } = workspace;
      const inTime = this.check(10, Date.now() < until, () => `is ${status} for minutes, by ${operation.kind} ${operation.id}`);
      if (!inTime) throw new Stuck(operation.id);
      await delay(200);
    }
    return workspace;
  }

  /** The pod of an idle workspace, with everything in it that must be there; null where it has been lost, which Reprise must find out soon. */
  present(): Promise<Pod | null> {
    return this.world.ledger.waits.during(`${this.name}: its pod`, () => this.untilPresent());
  }

  private async untilPresent(): Promise<Pod | null> {
    for (const until = Date.now() + FOUND_OUT_WITHIN_MS; ; await delay(200)) {
      const { status, operation, generation } = await this.see();
      if (status !== 'idle' || operation) return null;
      const pod = this.pod();
      const state = pod && stateOf(pod);
      if (state) {
        this.compare(this.known, state, `idle, generation ${generation}`);
        return pod;
      }
      if (!this.check(10, Date.now() < until, () => `is idle, and has had no pod for ${FOUND_OUT_WITHIN_MS / 1000} s`)) return null;
    }
  }

  /** What a resume must bring back: what is owed, or what is in the snapshot. False where nobody knows the snapshot. */
  expects(snapshot: string | null): boolean {
    const saved = snapshot === null ? NOTHING : this.snapshots.get(snapshot);
    const known = this.check(4, saved !== undefined, () => `has the snapshot ${snapshot}, which nobody took`);
    if (known && this.lost()) this.held = this.known;
    // What was only in a pod that a fault has killed since comes back by a salvage, which says so.
    if (known) this.known = this.owed !== null && !this.lost() ? this.owed : saved!;
    return known;
  }

  /** Whether there is more than must be there: what the operation before had saved after all. */
  private isBetter(before: State): boolean {
    const pod = this.pod();
    const state = pod && stateOf(pod);
    if (!state || this.perhaps === null || difference(before, state) === null) return false;
    return difference(this.perhaps, state) === null;
  }

  /** Waits for the end of an operation that was answered with a promise, and compares what is there with what was there before it. */
  async ended(kind: string, id: string): Promise<void> {
    const before = this.known;
    this.world.accepted(id, this.id);
    const operation = await this.world.ledger.waits.during(`${this.name}: the end of ${kind} ${id}`, () => this.end(id));
    this.world.ledger.count('operations', `${kind} ${operation.status}${operation.error ? `: ${operation.error.code}` : ''}`);
    const workspace = await this.see();
    const { snapshot_ref: snapshot } = workspace;
    const brought = operation.status === 'succeeded' && this.isBetter(before) ? this.perhaps! : before;
    if (operation.phases.some(({ name }) => name === 'salvage') && snapshot !== null) this.salvaged.add(snapshot);
    const from = operation.state_from === 'salvage' ? snapshot : (operation.state_from ?? null);
    if (operation.status === 'succeeded' && from !== null && this.salvaged.has(from)) return this.learn(kind, workspace);
    // The only snapshot that can be new is that of this operation, or of the one that was given up before it.
    if (snapshot !== null && !this.snapshots.has(snapshot)) this.snapshots.set(snapshot, brought);
    const isLeft = operation.status === 'failed' && workspace.status === 'failed';
    this.owed = isLeft && !this.lost() ? before : null;
    if (isLeft && kind !== 'resume') this.perhaps = operation.error?.code === 'operation_timeout' ? before : null;
    if (operation.status === 'failed') this.failed(kind, operation, workspace, before);
    else if (kind === 'stop') this.stopped(workspace);
    else await this.up(kind, workspace, brought);
    if (!isLeft) this.perhaps = null;
  }

  /** After a salvage: what had been said by the pod's death still stands; its files are what they were then, which nobody knows where a task ran. */
  private learn(kind: string, { snapshot_ref: snapshot }: WorkspaceView): void {
    this.owed = null;
    this.perhaps = null;
    const pod = this.pod();
    const state = pod && stateOf(pod);
    if (!state) return;
    const kept = this.held.conversation.every((line, index) => state.conversation[index] === line);
    this.check(4, kept, () => `has lost part of its conversation in a salvage, by ${kind}`);
    this.known = state;
    if (snapshot !== null) this.snapshots.set(snapshot, state);
  }

  compare(before: State, after: State, when: string): void {
    const differing = difference(before, after);
    this.check(4, differing === null, () => `${when}: ${differing}`);
    this.known = after;
  }

  check(invariant: Parameters<World['ledger']['check']>[0], holds: boolean, what: () => string): boolean {
    return this.world.ledger.check(invariant, holds, () => `${this.name} ${what()}`);
  }

  /** @throws Stuck */
  private async end(id: string): Promise<OperationView> {
    for (const until = Date.now() + OPERATION_WITHIN_MS; ;) {
      const operation = await this.tenant.rest.operation(id, 15);
      if (operation.finished_at !== null) return operation;
      const inTime = this.check(10, Date.now() < until, () => `waits for ${id}, ${operation.status}, for ${OPERATION_WITHIN_MS / 1000} s`);
      if (!inTime) throw new Stuck(id);
    }
  }

  /** A failure may not cost what was in the workspace: it is in the snapshot, or still in the pod, as the next resume will show. */
  private failed(
    kind: string,
    { error }: OperationView,
    { status, snapshot_ref, last_snapshot_error }: WorkspaceView,
    before: State,
  ): void {
    const why = `${error?.code}: ${error?.message}${last_snapshot_error ? ` (${last_snapshot_error})` : ''}`;
    this.world.ledger.note(`${this.name}: ${kind} failed, ${status}: ${why}`);
    if (status !== 'failed' || kind === 'create' || this.lost() || this.pod() !== undefined) return;
    const gone = difference(before, snapshot_ref === null ? NOTHING : this.snapshots.get(snapshot_ref)!);
    // Past its deadline an operation ends while its job may be about to: what that has saved is found by the resume.
    if (error?.code === 'operation_timeout') return;
    this.check(3, gone === null, () => `failed to ${kind} (${error?.code}), and what was in it is in no snapshot: ${gone}`);
  }

  private stopped({ status }: WorkspaceView): void {
    this.check(4, status === 'stopped', () => `has been stopped, and is ${status}`);
    this.check(2, this.pod() === undefined, () => 'is stopped, and has a pod');
  }

  private async up(kind: string, { status, generation }: WorkspaceView, before: State): Promise<void> {
    const pod = this.pod();
    const state = pod && stateOf(pod);
    if (!pod || !state) {
      const killed = await eventually(() => lostOrThrow(this.lost()), { within: GONE_WITHIN_MS }).catch(() => false);
      this.check(2, killed, () => `came up by ${kind}, and has no pod`);
      return;
    }
    this.check(4, status === 'idle' || this.lost(), () => `came up by ${kind}, and is ${status}`);
    this.check(2, pod.generation === generation, () => `is of generation ${generation}, its pod of ${pod.generation}`);
    this.compare(before, state, `after ${kind}`);
  }
}

function lostOrThrow(lost: boolean): true {
  if (!lost) throw new Error('not lost');
  return lost;
}
