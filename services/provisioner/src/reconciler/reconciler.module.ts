import { Module } from '@nestjs/common';
import { Reconciler } from './reconciler.service';
import { ReconcilerRepository } from './reconciler.repository';

@Module({ providers: [Reconciler, ReconcilerRepository], exports: [Reconciler] })
export class ReconcilerModule {}
