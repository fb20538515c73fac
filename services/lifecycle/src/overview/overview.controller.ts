import { GetLifecycleOverview, type LifecycleOverview } from '@reprise/contracts';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { OverviewRepository } from './overview.repository';

@Controller()
export class OverviewController {
  constructor(private readonly overview: OverviewRepository) {}

  @MessagePattern(GetLifecycleOverview.type)
  get(@Payload() { limit }: GetLifecycleOverview): Promise<LifecycleOverview> {
    return this.overview.look(limit);
  }
}
