import { Module } from '@nestjs/common';
import { ReconcilerModule } from '../reconciler/reconciler.module';
import { OverviewController } from './overview.controller';
import { OverviewRepository } from './overview.repository';

@Module({ imports: [ReconcilerModule], controllers: [OverviewController], providers: [OverviewRepository] })
export class OverviewModule {}
