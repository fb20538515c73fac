import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { type BillingOverview, GetBillingOverview } from '@reprise/contracts';
import { OverviewRepository } from './overview.repository';

/** What operators ask. */
@Controller()
export class OverviewController {
  constructor(private readonly overview: OverviewRepository) {}

  @MessagePattern(GetBillingOverview.type)
  get(): Promise<BillingOverview> {
    return this.overview.look();
  }
}
