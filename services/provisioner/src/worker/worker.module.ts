import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { StepsModule } from '../steps/steps.module';
import { Cleanup } from './cleanup';
import { Heartbeat } from './heartbeat';
import { JobRunner } from './job-runner';
import { StepRunner } from './step-runner';
import { Worker } from './worker';

@Module({
  imports: [InventoryModule, JobsModule, StepsModule],
  providers: [Cleanup, Heartbeat, JobRunner, StepRunner, Worker],
})
export class WorkerModule {}
