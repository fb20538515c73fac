import {
  GetOperation,
  ListOperationsInFlight,
  OperationView,
  PodCheckpointed,
  PodCheckpointFailed,
  PodFenceFound,
  PodJobFailed,
  PodLost,
  PodReady,
  PodRemoved,
  PodStepChanged,
  ResendOperations,
  SnapshotAdopted,
} from '@reprise/contracts';
import { MessageContext } from '@reprise/messaging';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { factOf, orgOf, queryOf } from '../commands/from-context';
import { LifecycleConfig } from '../lifecycle.config';
import { OperationsService } from './operations.service';
import { AdoptedSnapshots } from '../workspaces/adopted-snapshots.service';
import { CheckpointsService } from '../workspaces/checkpoints.service';
import { PodFences } from './pod-fences.service';
import { PodLosses } from './pod-losses.service';
import { StepsService } from './steps.service';

@Controller()
export class OperationsController {
  constructor(
    private readonly operations: OperationsService,
    private readonly steps: StepsService,
    private readonly losses: PodLosses,
    private readonly checkpoints: CheckpointsService,
    private readonly fences: PodFences,
    private readonly adoptions: AdoptedSnapshots,
    private readonly config: LifecycleConfig,
  ) {}

  @EventPattern(PodStepChanged.type)
  stepChanged(@Payload() data: PodStepChanged, @Ctx() context: MessageContext): Promise<void> {
    return this.steps.changed(factOf(data, context));
  }

  @EventPattern(PodReady.type)
  podReady(@Payload() data: PodReady, @Ctx() context: MessageContext): Promise<void> {
    return this.operations.podReady(factOf(data, context));
  }

  @EventPattern(PodRemoved.type)
  podRemoved(@Payload() data: PodRemoved, @Ctx() context: MessageContext): Promise<void> {
    return this.operations.podRemoved(factOf(data, context));
  }

  @EventPattern(PodJobFailed.type)
  jobFailed(@Payload() data: PodJobFailed, @Ctx() context: MessageContext): Promise<void> {
    return this.operations.jobFailed(factOf(data, context));
  }

  @EventPattern(PodCheckpointed.type)
  podCheckpointed(@Payload() data: PodCheckpointed, @Ctx() context: MessageContext): Promise<void> {
    return this.checkpoints.taken(factOf(data, context));
  }

  @EventPattern(PodCheckpointFailed.type)
  podCheckpointFailed(@Payload() data: PodCheckpointFailed, @Ctx() context: MessageContext): Promise<void> {
    return this.checkpoints.failed(factOf(data, context));
  }

  @EventPattern(SnapshotAdopted.type)
  snapshotAdopted(@Payload() data: SnapshotAdopted, @Ctx() context: MessageContext): Promise<void> {
    return this.adoptions.adopted(factOf(data, context));
  }

  @EventPattern(PodLost.type)
  podLost(@Payload() data: PodLost, @Ctx() context: MessageContext): Promise<void> {
    return this.losses.lost(factOf(data, context));
  }

  @EventPattern(PodFenceFound.type)
  podFenceFound(@Payload() data: PodFenceFound, @Ctx() context: MessageContext): Promise<void> {
    return this.fences.found(factOf(data, context));
  }

  @MessagePattern(GetOperation.type)
  get(@Payload() query: GetOperation, @Ctx() context: MessageContext): Promise<OperationView> {
    return this.operations.get(orgOf(context), queryOf(query, context, this.config.gatewayAmqpUser));
  }

  @MessagePattern(ResendOperations.type)
  resend(@Payload() { limit }: ResendOperations): Promise<{ operations: number }> {
    return this.operations.hurry(limit);
  }

  @MessagePattern(ListOperationsInFlight.type)
  inFlight(@Payload() query: ListOperationsInFlight): Promise<{ operations: OperationView[] }> {
    return this.operations.inFlight(query);
  }
}
