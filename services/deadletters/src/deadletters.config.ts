import { FASTEST_REPLAY } from '@reprise/contracts';
import { DatabaseServiceConfig, Env } from '@reprise/platform';
import { IsBoolean, IsInt, Max, Min } from 'class-validator';

/** The settings of the dead-letter service. */
export class DeadlettersConfig extends DatabaseServiceConfig {
  @Env('REPLAY_RATE_PER_SECOND', {
    description: 'How many messages a replay sends in a second where its operator says nothing.',
    default: 100,
  })
  @IsInt()
  @Min(1)
  @Max(FASTEST_REPLAY)
  readonly replayRatePerSecond!: number;

  @Env('EDIT_DEAD_LETTERS', {
    description: 'Whether operators may replay a dead letter with other data than it came with.',
    default: false,
  })
  @IsBoolean()
  readonly editDeadLetters!: boolean;

  @Env('DRAIN_PREFETCH', { description: 'How many dead letters of each queue are taken over at once.', default: 20 })
  @IsInt()
  @Min(1)
  @Max(500)
  readonly drainPrefetch!: number;
}
