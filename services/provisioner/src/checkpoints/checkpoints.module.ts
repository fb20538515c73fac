import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module';
import { StepsModule } from '../steps/steps.module';
import { CheckpointsController } from './checkpoints.controller';
import { CheckpointsRepository } from './checkpoints.repository';
import { Checkpoints } from './checkpoints.service';

@Module({
  imports: [InventoryModule, StepsModule],
  controllers: [CheckpointsController],
  providers: [Checkpoints, CheckpointsRepository],
  exports: [Checkpoints],
})
export class CheckpointsModule {}
