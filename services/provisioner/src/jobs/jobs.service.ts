import { Injectable, Logger } from '@nestjs/common';
import { type CreatePod, newId, type RemovePod, type ReplacePod } from '@reprise/contracts';
import type { MessageContext } from '@reprise/messaging';
import { addToContext, Clock, currentContext } from '@reprise/platform';
import { mustBePlausible } from '../inventory/plausible-generation';
import type { JobKind, JobOrder } from './job';
import { JobBell } from './job-bell';
import { JobsRepository } from './jobs.repository';

type Particulars = Pick<JobOrder, 'podGeneration' | 'spec' | 'snapshotId'> & Partial<Pick<JobOrder, 'fromSnapshot' | 'withoutSnapshot'>>;

/** Turns commands into jobs. Once one of these resolves the command may be forgotten by everyone else: the job reaches a recorded end. */
@Injectable()
export class JobsService {
  private readonly logger = new Logger(JobsService.name);

  constructor(
    private readonly jobs: JobsRepository,
    private readonly bell: JobBell,
    private readonly clock: Clock,
  ) {}

  create(command: CreatePod, message: MessageContext): Promise<void> {
    return this.accept('create', command, message, {
      podGeneration: null,
      spec: command.spec,
      snapshotId: command.snapshot_id ?? null,
      fromSnapshot: command.from_snapshot ?? false,
    });
  }

  replace(command: ReplacePod, message: MessageContext): Promise<void> {
    return this.accept('replace', command, message, { podGeneration: command.pod_generation, spec: command.spec, snapshotId: null });
  }

  remove(command: RemovePod, message: MessageContext): Promise<void> {
    return this.accept('remove', command, message, {
      podGeneration: command.pod_generation,
      spec: null,
      snapshotId: null,
      withoutSnapshot: command.without_snapshot ?? false,
    });
  }

  private async accept(
    kind: JobKind,
    command: CreatePod | ReplacePod | RemovePod,
    message: MessageContext,
    particulars: Particulars,
  ): Promise<void> {
    const { operation_id: operationId, workspace_id: workspaceId, generation } = command;
    addToContext({ operationId, workspaceId });
    mustBePlausible(workspaceId, particulars.podGeneration ?? 0, generation);
    const acceptance = await this.jobs.accept(message, {
      id: newId('job'),
      kind,
      operationId,
      workspaceId,
      generation,
      fromSnapshot: false,
      withoutSnapshot: false,
      ...particulars,
      orgId: message.orgId ?? null,
      deadlineAt: new Date(command.deadline_at),
      acceptedAt: this.clock.now(),
      correlationId: message.correlationId,
      traceparent: currentContext().traceparent ?? message.traceparent ?? null,
      actor: message.actor ?? null,
    });
    if (acceptance === 'accepted') {
      this.logger.log(`${kind} ${workspaceId}/${generation}: accepted`);
      this.bell.ring();
    } else if (acceptance === 'stale') {
      this.logger.warn(`${kind} ${workspaceId}/${generation}: ignored, its generation is not above the highest known`);
    } else {
      this.logger.debug(`${kind} ${workspaceId}/${generation}: seen before`);
    }
  }
}
