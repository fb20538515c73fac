import { Injectable } from '@nestjs/common';
import { type PodIdentity, ReportTask } from '@reprise/contracts';
import { missingOf } from '../commands/ids.rules';
import { apiError } from '../errors/api-error';
import { RoundTrip } from '../messages/round-trip';
import type { ReportTaskBody } from './agents.input';

/** Passes on what pods tell. */
@Injectable()
export class AgentsService {
  constructor(private readonly roundTrip: RoundTrip) {}

  /** @throws ApiError */
  async report(pod: PodIdentity, task_id: string, body: ReportTaskBody): Promise<unknown> {
    const missing = missingOf({ task_id });
    if (missing) throw apiError(missing);
    const told = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
    return this.roundTrip.ask(ReportTask, { ...told, workspace_id: pod.workspaceId, pod_generation: pod.generation, task_id });
  }
}
