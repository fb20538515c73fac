import { newId, type PodStepChanged, type Step } from '@reprise/contracts';
import type { OutgoingMessage } from '@reprise/messaging';
import type { Ending, Job } from './job';
import { failed, stepChanged, succeeded, type StepChange, withNext } from './job-events';
import type { PodChange, RecordChanges, SnapshotChange } from './record-changes';

/** All that one statement writes: the job as it is to be, what the journal and the records say of it, and what is told. */
export interface Advance {
  readonly job: Job;
  /** Of a job that waits: how long nobody may take it. */
  readonly waitMs: number;
  readonly changes: readonly StepChange[];
  readonly pods: readonly PodChange[];
  readonly snapshots: readonly SnapshotChange[];
  readonly messages: readonly OutgoingMessage[];
}

/** What a step that succeeded has to say. */
export interface StepOutcome {
  readonly detail?: string;
  readonly interruptedTaskId?: string | null;
  readonly interruptedTaskOutput?: string;
  readonly records?: RecordChanges;
}

/** Collects one move of a job: the end of the step in hand, then what comes next. Pure; nothing happens before it is committed. */
export class Transition {
  private readonly changes: StepChange[] = [];
  private readonly pods: PodChange[] = [];
  private readonly snapshots: SnapshotChange[] = [];
  /** What tells of the step that ended, of the one that began, or of both: one move has one of each at most. */
  private told: OutgoingMessage<PodStepChanged> | null = null;
  /** What tells that the job has ended. */
  private outcome: OutgoingMessage | null = null;
  private waitMs = 0;

  constructor(
    private current: Job,
    private readonly now: Date,
  ) {}

  /** The job as it will be. */
  get job(): Job {
    return this.current;
  }

  advance(): Advance {
    const { current: job, waitMs, changes, pods, snapshots, told, outcome } = this;
    return { job, waitMs, changes, pods, snapshots, messages: [told, outcome].filter((message) => message !== null) };
  }

  /** The step in hand has done its work. */
  succeed({ detail, interruptedTaskId, interruptedTaskOutput, records }: StepOutcome): this {
    this.end({
      status: 'succeeded',
      ...(detail === undefined ? {} : { detail }),
      ...(interruptedTaskId === undefined ? {} : { interruptedTaskId }),
      ...(interruptedTaskOutput === undefined ? {} : { interruptedTaskOutput }),
    });
    this.record(records);
    // From here on the job's own snapshot is the workspace's last good one.
    if (this.current.step === 'verify') this.current = { ...this.current, snapshotId: this.current.newSnapshotId };
    return this;
  }

  /** The step in hand has failed by itself. */
  fail(detail: string): this {
    this.end({ status: 'failed', detail });
    this.current = { ...this.current, failures: this.current.failures + 1 };
    return this;
  }

  /** The step in hand was given up unfinished, by a shutdown or with its worker: it is not held against it. */
  interrupt(detail: string): this {
    return this.end({ status: 'failed', detail });
  }

  /** Begins the step, again or for the first time. `records`: what stands in the tables while it runs. */
  begin(step: Step, records: (job: Job) => RecordChanges): this {
    const again = this.current.step === step;
    this.current = {
      ...this.current,
      status: 'running',
      step,
      attempt: again ? this.current.attempt + 1 : 1,
      failures: again ? this.current.failures : 0,
      newSnapshotId: step === 'snapshot' ? (this.current.newSnapshotId ?? newId('snapshot')) : this.current.newSnapshotId,
      begun: true,
    };
    const change: StepChange = { step, attempt: this.current.attempt, status: 'started', at: this.now };
    this.changes.push(change);
    this.told = this.told ? withNext(this.told, change) : stepChanged(this.current, change);
    this.record(records(this.current));
    return this;
  }

  /** Lets the job go, to be taken by any worker after so long; `step` is what it will begin with. */
  park(step: Step | null, waitMs: number): this {
    const again = this.current.step === step;
    this.current = { ...this.current, status: 'waiting', step, ...(again ? {} : { attempt: 0, failures: 0 }) };
    this.waitMs = waitMs;
    return this;
  }

  /** The job will not reach its goal; it is still to be cleaned up. */
  giveUp(ending: Ending): this {
    this.current = { ...this.current, ending };
    if (ending.code === 'pod_lost') this.recordOldPod('lost');
    return this;
  }

  /** The goal is reached. */
  finish(): this {
    this.current = { ...this.current, status: 'succeeded' };
    this.outcome = succeeded(this.current);
    return this;
  }

  /** The clean-up is done. */
  finishFailed(podKept: boolean, pods: readonly PodChange[]): this {
    this.current = { ...this.current, status: 'failed' };
    this.pods.push(...pods);
    this.outcome = failed(this.current, podKept);
    return this;
  }

  private end(how: Pick<StepChange, 'status' | 'detail' | 'interruptedTaskId' | 'interruptedTaskOutput'>): this {
    const { step, attempt } = this.current;
    if (step === null) throw new Error(`Job ${this.current.id} has no step in hand`);
    const change: StepChange = { step, attempt, at: this.now, ...how };
    // The journal has no place for what a task printed.
    this.changes.push(how.interruptedTaskOutput === undefined ? change : { ...change, interruptedTaskOutput: undefined });
    this.told = stepChanged(this.current, change);
    this.current = { ...this.current, begun: false };
    return this;
  }

  private record({ pods = [], snapshot }: RecordChanges = {}): void {
    this.pods.push(...pods);
    if (snapshot) this.snapshots.push(snapshot);
  }

  private recordOldPod(status: PodChange['status']): void {
    const { workspaceId, podGeneration } = this.current;
    if (podGeneration !== null) this.pods.push({ workspaceId, generation: podGeneration, status });
  }
}
