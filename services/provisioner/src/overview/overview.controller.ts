import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GetProvisionerOverview, type ProvisionerOverview } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import { Reconciler } from '../reconciler/reconciler.service';
import { StoreCheck } from '../store-check/store-check';
import { OverviewRepository } from './overview.repository';

/** What operators ask. */
@Controller()
export class OverviewController {
  constructor(
    private readonly overview: OverviewRepository,
    private readonly reconciler: Reconciler,
    private readonly store: StoreCheck,
    private readonly clock: Clock,
  ) {}

  @MessagePattern(GetProvisionerOverview.type)
  async get(@Payload() { limit }: GetProvisionerOverview): Promise<ProvisionerOverview> {
    const [{ database, ...rest }, snapshot_store] = await Promise.all([this.overview.look(limit), this.store.look()]);
    const clocks = { service: this.clock.now().toISOString(), database: database.toISOString() };
    return { clocks, ...rest, last_reconcile: this.reconciler.lastPass, reconcile_problem: this.reconciler.failing, snapshot_store };
  }
}
