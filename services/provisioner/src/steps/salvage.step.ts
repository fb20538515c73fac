import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { Agents } from './agents';
import { oldPodOf, type StepHandler } from './step';

/** What a lost pod left is opened, so that the next steps can save it as they save a pod that is alive. Nothing of the pod runs from here on. */
@Injectable()
export class SalvageStep implements StepHandler {
  readonly step = 'salvage';

  constructor(private readonly agents: Agents) {}

  begins(job: Job): RecordChanges {
    return { pods: [{ ...oldPodOf(job), status: 'lost' }] };
  }

  async run(job: Job): Promise<StepOutcome> {
    await this.agents.old(job);
    return { detail: `pod ${job.podGeneration} was lost; its files are there` };
  }
}
