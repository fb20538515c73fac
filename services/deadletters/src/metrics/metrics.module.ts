import { Module } from '@nestjs/common';
import { DeadlettersMetrics } from './deadletters-metrics';
import { FiguresRepository } from './figures.repository';

@Module({ providers: [FiguresRepository, DeadlettersMetrics], exports: [DeadlettersMetrics] })
export class MetricsModule {}
