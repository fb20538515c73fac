import { Module } from '@nestjs/common';
import { JobBell } from './job-bell';
import { JobsController } from './jobs.controller';
import { JobsRepository } from './jobs.repository';
import { JobsService } from './jobs.service';

@Module({
  controllers: [JobsController],
  providers: [JobsRepository, JobsService, JobBell],
  exports: [JobsRepository, JobBell],
})
export class JobsModule {}
