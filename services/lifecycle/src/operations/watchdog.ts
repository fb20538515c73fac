import { Clock } from '@reprise/platform';
import { BeforeApplicationShutdown, Injectable, Logger, OnApplicationBootstrap } from '@nestjs/common';
import { AnswersRepository } from '../commands/answers.repository';
import { LifecycleConfig } from '../lifecycle.config';
import { OperationsService } from './operations.service';

const HOUR_MS = 3_600_000;

/** Looks, again and again, for operations past their deadline, so that nothing stays stuck. Any number of replicas may: each end is guarded. */
@Injectable()
export class Watchdog implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(Watchdog.name);
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private stopped = false;
  private forgottenAt = 0;

  constructor(
    private readonly operations: OperationsService,
    private readonly answers: AnswersRepository,
    private readonly config: LifecycleConfig,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().finally(() => this.schedule());
    }, this.config.watchdogIntervalSeconds * 1000);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    try {
      const now = this.clock.now();
      const failed = await this.operations.failOverdue(now);
      if (failed > 0) this.logger.warn(`${failed} operations missed their deadline and have failed`);
      if (now.getTime() - this.forgottenAt >= HOUR_MS) {
        await this.answers.forgetKeysBefore(new Date(now.getTime() - this.config.idempotencyRetentionHours * HOUR_MS));
        this.forgottenAt = now.getTime();
      }
    } catch (error) {
      this.logger.warn(`Deadlines could not be looked at: ${(error as Error).message}`);
    }
  }
}
