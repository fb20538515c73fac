import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { type DeadLettersOverview, GetDeadLettersOverview } from '@reprise/contracts';
import { OverviewRepository } from './overview.repository';

/** What operators ask first. */
@Controller()
export class OverviewController {
  constructor(private readonly overview: OverviewRepository) {}

  @MessagePattern(GetDeadLettersOverview.type)
  get(@Payload() { limit }: GetDeadLettersOverview): Promise<DeadLettersOverview> {
    return this.overview.look(limit);
  }
}
