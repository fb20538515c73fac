import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { HistoryModule } from '../history/history.module';
import { MetricsModule } from '../metrics/metrics.module';
import { ReplayLettersModule } from '../replays/replay-letters.module';
import { Collector } from './collector';
import { Drain } from './drain';
import { LettersController } from './letters.controller';
import { LettersRepository } from './letters.repository';
import { LettersService } from './letters.service';

@Module({
  imports: [CommandsModule, HistoryModule, MetricsModule, ReplayLettersModule],
  controllers: [LettersController],
  providers: [LettersRepository, LettersService, Collector, Drain],
  exports: [LettersRepository, Drain],
})
export class LettersModule {}
