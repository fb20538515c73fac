import { Injectable } from '@nestjs/common';
import { GetTenantPosture, type TenantView } from '@reprise/contracts';
import { ApiError } from '../errors/api-error';
import { RoundTrip } from '../messages/round-trip';
import { refusalFor } from './posture.rules';

/** Asks billing, for each request anew, whether a tenant may add. */
@Injectable()
export class PostureService {
  constructor(private readonly roundTrip: RoundTrip) {}

  /** @throws ApiError `billing_inactive`, `tenant_unknown`; `unavailable` where billing cannot be asked */
  async mustAllow(orgId: string): Promise<void> {
    const tenant = await this.roundTrip.ask<TenantView>(GetTenantPosture, { org_id: orgId }, { orgId });
    const refused = refusalFor(tenant);
    if (refused) throw new ApiError(refused);
  }
}
