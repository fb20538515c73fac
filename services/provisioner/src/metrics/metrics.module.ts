import { Global, Module } from '@nestjs/common';
import { FiguresRepository } from './figures.repository';
import { ProvisionerMetrics } from './provisioner-metrics';

/** What every part of the service tells what it did to. */
@Global()
@Module({ providers: [FiguresRepository, ProvisionerMetrics], exports: [ProvisionerMetrics] })
export class MetricsModule {}
