import { Module } from '@nestjs/common';
import { RetentionRepository } from './retention.repository';
import { Retention } from './retention.service';

@Module({ providers: [Retention, RetentionRepository] })
export class RetentionModule {}
