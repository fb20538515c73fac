import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';
import { ORG_ID } from '../names';
import { POSTURES, Posture } from '../vocabulary';
import { EXAMPLE } from './message';
import { GoesWith, IsTime } from './rules';

const ORG_MESSAGE = 'org_id must be 1 to 128 letters, digits, dots, hyphens or underscores';

/** Sets a tenant's posture; makes the tenant where it is new. */
export class SetTenantPosture {
  static readonly type = 'reprise.tenant.set-posture.v1';
  static readonly kind = 'command';
  static readonly consumer = 'billing';
  static readonly tellsRefusal = true;
  static readonly example = { org_id: 'acme', posture: 'trial', trial_ends_at: EXAMPLE.time };

  @Matches(ORG_ID, { message: ORG_MESSAGE })
  org_id!: string;

  @IsIn(POSTURES)
  posture!: Posture;

  /** Needed with `trial`, refused with any other. */
  @ValidateIf((o: SetTenantPosture) => o.posture === 'trial' || (o.trial_ends_at !== undefined && o.trial_ends_at !== null))
  @GoesWith('posture', 'trial')
  @IsTime()
  trial_ends_at?: string | null;
}

/** A tenant's posture is now this. */
export class TenantPostureChanged {
  static readonly type = 'reprise.tenant.posture-changed.v1';
  static readonly kind = 'event';
  static readonly consumer = null;
  static readonly example = { org_id: 'acme', previous: 'active', posture: 'past_due', trial_ends_at: null };

  @Matches(ORG_ID, { message: ORG_MESSAGE })
  org_id!: string;

  @IsOptional()
  @IsIn(POSTURES)
  previous!: Posture | null;

  @IsIn(POSTURES)
  posture!: Posture;

  @IsOptional()
  @IsTime()
  trial_ends_at!: string | null;
}

/** Whether a tenant may add. Answers `TenantView`, or the refusal `tenant_unknown`. */
export class GetTenantPosture {
  static readonly type = 'reprise.tenant.posture.v1';
  static readonly kind = 'query';
  static readonly consumer = 'billing';
  static readonly example = { org_id: 'acme' };

  @Matches(ORG_ID, { message: ORG_MESSAGE })
  org_id!: string;
}

/** How many tenants one question may name. */
export const MOST_POSTURES = 100;

/** The same of several tenants in one question. Answers `{ tenants: TenantView[] }`, in no order, without those that billing does not know. */
export class GetTenantPostures {
  static readonly type = 'reprise.tenant.postures.v1';
  static readonly kind = 'query';
  static readonly consumer = 'billing';
  static readonly example = { org_ids: ['acme', 'globex'] };

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_POSTURES)
  @Matches(ORG_ID, { each: true, message: `each of org_ids: ${ORG_MESSAGE}` })
  org_ids!: string[];
}

/** All tenants, for operators. Answers `{ tenants: TenantView[] }`. */
export class ListTenants {
  static readonly type = 'reprise.tenant.list.v1';
  static readonly kind = 'query';
  static readonly consumer = 'billing';
  static readonly example = { limit: 1000 };

  @IsInt()
  @Min(1)
  @Max(10_000)
  limit!: number;
}

export const BILLING_MESSAGES = [SetTenantPosture, TenantPostureChanged, GetTenantPosture, GetTenantPostures, ListTenants] as const;
