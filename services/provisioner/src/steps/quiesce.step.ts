import { Injectable } from '@nestjs/common';
import { isId } from '@reprise/contracts';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { assertSpec } from '../pods/spec-rules';
import { Agents } from './agents';
import { PodSpecs } from './pod-specs';
import { StepError, type StepHandler, writable } from './step';

const LONGEST_OUTPUT = 500_000;

/** The pod takes no more tasks, and the one that ran is ended: from here on its files stand still. */
@Injectable()
export class QuiesceStep implements StepHandler {
  readonly step = 'quiesce';

  constructor(
    private readonly agents: Agents,
    private readonly specs: PodSpecs,
  ) {}

  begins(): RecordChanges {
    return {};
  }

  async run(job: Job): Promise<StepOutcome> {
    this.assertNextCanBeMade(job);
    const { agent } = await this.agents.old(job);
    const { interruptedTaskId: taskId, interruptedTaskOutput: output } = await agent.quiesce(quiesceReason(job));
    // A pod says what it likes; what is recorded and sent has the form of what Reprise gave out.
    if (taskId === null || !isId('task', taskId)) return { interruptedTaskId: null };
    return { interruptedTaskId: taskId, ...(output === undefined ? {} : { interruptedTaskOutput: writable(output, LONGEST_OUTPUT) }) };
  }

  /** A pod that can never be made is refused while there is one that works, and before its task is ended. */
  private assertNextCanBeMade(job: Job): void {
    if (job.spec === null) return;
    const spec = this.specs.of(job);
    try {
      assertSpec(spec);
    } catch (error) {
      throw new StepError(`The next pod cannot be made: ${(error as Error).message}`, 'final', 'create_failed');
    }
  }
}

/** What the conversation and the interrupted task's record say. */
export function quiesceReason({ kind }: Pick<Job, 'kind'>): string {
  return kind === 'remove' ? 'interrupted_by_stop' : 'interrupted_by_restart';
}
