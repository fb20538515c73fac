import { Module } from '@nestjs/common';
import { ReconcilerModule } from '../reconciler/reconciler.module';
import { StoreCheckModule } from '../store-check/store-check.module';
import { OverviewController } from './overview.controller';
import { OverviewRepository } from './overview.repository';

@Module({ imports: [ReconcilerModule, StoreCheckModule], controllers: [OverviewController], providers: [OverviewRepository] })
export class OverviewModule {}
