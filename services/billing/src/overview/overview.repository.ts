import { Injectable } from '@nestjs/common';
import type { BillingOverview } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import { DataSource } from 'typeorm';

/** How billing's messages stand. */
@Injectable()
export class OverviewRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  async look(): Promise<BillingOverview> {
    const [row] = await this.dataSource.query<{ database: Date; outbox: BillingOverview['outbox'] }[]>(
      `SELECT clock_timestamp() AS database,
              (SELECT json_build_object('count', count(*), 'oldest_at', min(created_at)) FROM outbox) AS outbox`,
    );
    if (!row) throw new Error('The database answered nothing');
    return { clocks: { service: this.clock.now().toISOString(), database: row.database.toISOString() }, outbox: row.outbox };
  }
}
