import { Module } from '@nestjs/common';
import { FenceCheck } from './fence-check.service';
import { FencesRepository } from './fences.repository';
import { Reconciler } from './reconciler.service';
import { ReconcilerRepository } from './reconciler.repository';

@Module({ providers: [FenceCheck, FencesRepository, Reconciler, ReconcilerRepository], exports: [Reconciler] })
export class ReconcilerModule {}
