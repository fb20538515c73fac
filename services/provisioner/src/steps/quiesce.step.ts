import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { Agents } from './agents';
import type { StepHandler } from './step';

/** The pod takes no more tasks, and the one that ran is ended: from here on its files stand still. */
@Injectable()
export class QuiesceStep implements StepHandler {
  readonly step = 'quiesce';

  constructor(private readonly agents: Agents) {}

  begins(): RecordChanges {
    return {};
  }

  async run(job: Job): Promise<StepOutcome> {
    const { agent } = await this.agents.old(job);
    return await agent.quiesce(quiesceReason(job));
  }
}

/** What the conversation and the interrupted task's record say. */
export function quiesceReason({ kind }: Pick<Job, 'kind'>): string {
  return kind === 'remove' ? 'interrupted_by_stop' : 'interrupted_by_restart';
}
