import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Inbox } from './inbox';

const EVERY_MS = 60 * 60 * 1000;

/** Forgets, once an hour, the applied messages that are older than the retention. Several replicas may do so at once. */
export class InboxJanitor {
  private readonly logger = new Logger(InboxJanitor.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly inbox: Inbox,
    private readonly dataSource: DataSource,
    private readonly retentionDays: number,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.prune(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async prune(): Promise<void> {
    try {
      const count = await this.inbox.prune(this.dataSource, this.retentionDays);
      if (count > 0) this.logger.log(`${count} applied messages older than ${this.retentionDays} days are forgotten`);
    } catch (error) {
      this.logger.warn(`The inbox cannot be pruned: ${(error as Error).message}`);
    }
  }
}
