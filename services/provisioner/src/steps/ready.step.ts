import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job';
import type { RecordChanges } from '../jobs/record-changes';
import type { StepOutcome } from '../jobs/transition';
import { Agents } from './agents';
import { newPodOf, StepError, type StepHandler } from './step';

/** The new pod takes tasks, and says of itself that it is the one that was asked for. */
@Injectable()
export class ReadyStep implements StepHandler {
  readonly step = 'ready';

  constructor(private readonly agents: Agents) {}

  begins(): RecordChanges {
    return {};
  }

  async run(job: Job): Promise<StepOutcome> {
    const { agent } = await this.agents.fresh(job);
    await agent.resumeWork();
    const health = await agent.health();
    if (health.workspaceId !== job.workspaceId || health.generation !== job.generation) {
      throw new StepError(
        `Pod ${health.workspaceId}/${health.generation} answered in the place of ${job.workspaceId}/${job.generation}.`,
        'final',
      );
    }
    if (health.status !== 'ready') throw new StepError(`The new pod is ${health.status}.`, 'retryable');
    return { records: { pods: [{ ...newPodOf(job), status: 'live' }] } };
  }
}
