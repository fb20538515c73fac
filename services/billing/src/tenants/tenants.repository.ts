import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { TenantEntity } from './tenant.entity';
import type { Tenant } from './tenant.rules';

/** The only SQL about tenants. */
@Injectable()
export class TenantsRepository {
  constructor(@InjectRepository(TenantEntity) private readonly tenants: Repository<TenantEntity>) {}

  /** Those that there are, in no order: one select by primary key; never cached, since another replica may have just changed one. */
  find(orgIds: string[]): Promise<Tenant[]> {
    return this.tenants.query('SELECT org_id AS "orgId", posture, trial_ends_at AS "trialEndsAt" FROM tenants WHERE org_id = ANY($1)', [
      orgIds,
    ]);
  }

  /** By name. */
  list(limit: number): Promise<Tenant[]> {
    return this.tenants.find({ select: { orgId: true, posture: true, trialEndsAt: true }, order: { orgId: 'ASC' }, take: limit });
  }

  /** Writes the tenant in the manager's transaction, and returns it as it was before; null where it is new. */
  async put(manager: EntityManager, tenant: Tenant, now: Date): Promise<Tenant | null> {
    // Insert first: of two that make the same tenant at once, the second waits here for the first, and then sees what it made.
    const made = await manager
      .createQueryBuilder()
      .insert()
      .into(TenantEntity)
      .values({ ...tenant, createdAt: now, updatedAt: now })
      .orIgnore()
      .returning('org_id')
      .execute();
    if ((made.raw as unknown[]).length > 0) return null;
    const where = { orgId: tenant.orgId };
    const before = await manager.findOneOrFail(TenantEntity, { where, lock: { mode: 'pessimistic_write' } });
    const { posture, trialEndsAt } = tenant;
    await manager.update(TenantEntity, where, { posture, trialEndsAt, updatedAt: now });
    return before;
  }
}
