import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { JobsModule } from '../jobs/jobs.module';
import { Agents } from './agents';
import { CreateStep } from './create.step';
import { PodSaver } from './pod-saver';
import { PodSpecs } from './pod-specs';
import { QuiesceStep } from './quiesce.step';
import { ReadyStep } from './ready.step';
import { RestoreStep } from './restore.step';
import { SalvageStep } from './salvage.step';
import { SnapshotStep } from './snapshot.step';
import { STEP_HANDLERS, type StepHandler, type StepHandlers } from './step';
import { TeardownStep } from './teardown.step';
import { VerifyStep } from './verify.step';

const STEPS = [SalvageStep, QuiesceStep, SnapshotStep, VerifyStep, TeardownStep, CreateStep, RestoreStep, ReadyStep];

@Module({
  imports: [InventoryModule, JobsModule],
  providers: [
    Agents,
    PodSpecs,
    PodSaver,
    ...STEPS,
    {
      provide: STEP_HANDLERS,
      inject: STEPS,
      useFactory: (...handlers: StepHandler[]): StepHandlers =>
        Object.fromEntries(handlers.map((handler) => [handler.step, handler])) as unknown as StepHandlers,
    },
  ],
  exports: [PodSaver, STEP_HANDLERS],
})
export class StepsModule {}
