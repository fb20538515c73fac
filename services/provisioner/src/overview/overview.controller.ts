import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GetProvisionerOverview, type ProvisionerOverview } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import type { PodDriver } from '../pods/pod-driver';
import { POD_DRIVER } from '../ports/tokens';
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
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
  ) {}

  @MessagePattern(GetProvisionerOverview.type)
  async get(@Payload() { limit }: GetProvisionerOverview): Promise<ProvisionerOverview> {
    const [{ database, ...rest }, snapshot_store, isolation_problem] = await Promise.all([
      this.overview.look(limit),
      this.store.look(),
      // A driver that cannot tell now says why when it makes a pod.
      this.driver.weakness?.().catch(() => null) ?? null,
    ]);
    const clocks = { service: this.clock.now().toISOString(), database: database.toISOString() };
    const { lastPass: last_reconcile, failing: reconcile_problem } = this.reconciler;
    return { clocks, ...rest, last_reconcile, reconcile_problem, snapshot_store, isolation_problem };
  }
}
