import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { type AdoptionResult, AdoptSnapshot, ListUnrecordedSnapshots, type UnrecordedSnapshots } from '@reprise/contracts';
import { Adoption } from './adoption.service';

/** What operators ask after a restore. */
@Controller()
export class AdoptionController {
  constructor(private readonly adoption: Adoption) {}

  @MessagePattern(ListUnrecordedSnapshots.type)
  list(@Payload() { limit, workspace_id: workspaceId }: ListUnrecordedSnapshots): Promise<UnrecordedSnapshots> {
    return this.adoption.unrecorded(limit, workspaceId);
  }

  @MessagePattern(AdoptSnapshot.type)
  adopt(@Payload() { key }: AdoptSnapshot): Promise<AdoptionResult> {
    return this.adoption.adopt(key);
  }
}
