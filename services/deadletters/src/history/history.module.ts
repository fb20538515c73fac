import { Module } from '@nestjs/common';
import { HistoryRepository } from './history.repository';
import { Reads } from './reads.service';

@Module({ providers: [HistoryRepository, Reads], exports: [HistoryRepository, Reads] })
export class HistoryModule {}
