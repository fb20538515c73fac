import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { MessageContext } from '@reprise/messaging';
import { Clock } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { HistoryRepository } from './history.repository';

/** What an operator looked at. */
export interface Read {
  action: 'letters_listed' | 'groups_listed' | 'letter_read';
  letterId?: string;
  /** What was asked for: the filter, the page. */
  detail?: Record<string, unknown>;
}

/** Writes down who looked at what: dead letters hold the data of all tenants. What cannot be written down is not shown. */
@Injectable()
export class Reads {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly history: HistoryRepository,
    private readonly clock: Clock,
  ) {}

  async record({ detail = {}, ...read }: Read, { actor, userId, orgId }: MessageContext): Promise<void> {
    const event = { ...read, at: this.clock.now(), actor: actor ?? userId ?? 'unknown', detail: { ...detail, org_id: orgId ?? null } };
    await this.history.add(this.dataSource.manager, event);
  }
}
