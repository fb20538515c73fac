import { Module } from '@nestjs/common';
import { ReplayLettersRepository } from './replay-letters.repository';

@Module({ providers: [ReplayLettersRepository], exports: [ReplayLettersRepository] })
export class ReplayLettersModule {}
