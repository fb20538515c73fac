import { Module } from '@nestjs/common';
import { CommandsModule } from '../commands/commands.module';
import { HistoryModule } from '../history/history.module';
import { LettersModule } from '../letters/letters.module';
import { MetricsModule } from '../metrics/metrics.module';
import { ReplayLettersModule } from './replay-letters.module';
import { ReplaysController } from './replays.controller';
import { ReplaysRepository } from './replays.repository';
import { ReplaysService } from './replays.service';
import { Sender } from './sender';

@Module({
  imports: [CommandsModule, HistoryModule, LettersModule, MetricsModule, ReplayLettersModule],
  controllers: [ReplaysController],
  providers: [ReplaysRepository, ReplaysService, Sender],
})
export class ReplaysModule {}
