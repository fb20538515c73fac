import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GetProvisionerOverview, type ProvisionerOverview } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import { Reconciler } from '../reconciler/reconciler.service';
import { OverviewRepository } from './overview.repository';

/** What operators ask. */
@Controller()
export class OverviewController {
  constructor(
    private readonly overview: OverviewRepository,
    private readonly reconciler: Reconciler,
    private readonly clock: Clock,
  ) {}

  @MessagePattern(GetProvisionerOverview.type)
  async get(@Payload() { limit }: GetProvisionerOverview): Promise<ProvisionerOverview> {
    const { database, ...rest } = await this.overview.look(limit);
    const clocks = { service: this.clock.now().toISOString(), database: database.toISOString() };
    return { clocks, ...rest, last_reconcile: this.reconciler.lastPass };
  }
}
