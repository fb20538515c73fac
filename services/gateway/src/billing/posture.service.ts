import { Injectable } from '@nestjs/common';
import { GetTenantPosture, GetTenantPostures, MOST_POSTURES, type TenantView, refusal } from '@reprise/contracts';
import { BatchLoader } from '@reprise/platform';
import { ApiError } from '../errors/api-error';
import { isTakenByNobody, RoundTrip } from '../messages/round-trip';
import { refusalFor } from './posture.rules';

/** Asks billing, for each request anew, whether a tenant may add. */
@Injectable()
export class PostureService {
  private readonly tenants = new BatchLoader<TenantView>((orgIds) => this.postures(orgIds), { most: MOST_POSTURES });

  constructor(private readonly roundTrip: RoundTrip) {}

  /** @throws ApiError `billing_inactive`, `tenant_unknown`; `unavailable` where billing cannot be asked */
  async mustAllow(orgId: string): Promise<void> {
    const tenant = await this.tenants.load(orgId);
    const refused = tenant === undefined ? refusal('tenant_unknown') : refusalFor(tenant);
    if (refused) throw new ApiError(refused);
  }

  private async postures(orgIds: string[]): Promise<ReadonlyMap<string, TenantView>> {
    const [orgId = '', ...others] = orgIds;
    const tenants = await (others.length === 0 ? this.of(orgId) : this.together(orgIds));
    return new Map(tenants.map((tenant) => [tenant.org_id, tenant]));
  }

  /** Nothing where billing does not know it. */
  private async of(orgId: string): Promise<TenantView[]> {
    try {
      return [await this.roundTrip.ask<TenantView>(GetTenantPosture, { org_id: orgId }, { orgId })];
    } catch (error) {
      if (error instanceof ApiError && error.refusal.code === 'tenant_unknown') return [];
      throw error;
    }
  }

  private async together(orgIds: string[]): Promise<TenantView[]> {
    try {
      return (await this.roundTrip.ask<{ tenants: TenantView[] }>(GetTenantPostures, { org_ids: orgIds })).tenants;
    } catch (error) {
      if (!isTakenByNobody(error)) throw error;
      // While an upgrade is under way, a billing from before it may be there, which knows the other question alone.
      return (await Promise.all(orgIds.map((orgId) => this.of(orgId)))).flat();
    }
  }
}
