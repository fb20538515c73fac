import { Module } from '@nestjs/common';
import { SnapshotsRepository } from '../snapshot-records/snapshots.repository';
import { PodAccess } from './pod-access';
import { PodSurvey } from './pod-survey.service';
import { PodsRepository } from './pods.repository';

/** What is on record of pods and snapshots, and the way to a pod's agent. */
@Module({
  providers: [PodsRepository, SnapshotsRepository, PodAccess, PodSurvey],
  exports: [PodsRepository, SnapshotsRepository, PodAccess, PodSurvey],
})
export class InventoryModule {}
