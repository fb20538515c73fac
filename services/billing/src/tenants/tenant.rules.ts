import { type Posture, type RefusalBody, refusal } from '@reprise/contracts';

/** A paying customer, as far as billing decides anything of it. */
export interface Tenant {
  orgId: string;
  posture: Posture;
  /** Exactly where the posture is `trial`. */
  trialEndsAt: Date | null;
}

/** Whether the tenant may add: active, or in a trial that has not ended. The moment of its end is past it. */
export function mayAdd({ posture, trialEndsAt }: Tenant, now: Date): boolean {
  switch (posture) {
    case 'active':
      return true;
    case 'trial':
      return trialEndsAt !== null && now < trialEndsAt;
    case 'past_due':
    case 'decommissioning':
      return false;
  }
}

/** The tenant as it is to be, or why it cannot be that: a trial needs its end, and nothing else has one. */
export function withPosture(orgId: string, posture: Posture, trialEndsAt: Date | null): Tenant | { refusal: RefusalBody } {
  if (posture === 'trial' && trialEndsAt === null) return wrongTrialEnd('trial_ends_at is needed with the posture trial');
  if (posture !== 'trial' && trialEndsAt !== null) return wrongTrialEnd('trial_ends_at goes with the posture trial alone');
  return { orgId, posture, trialEndsAt };
}

/** Whether going from one to the other is news. */
export function differs(before: Tenant | null, after: Tenant): boolean {
  return before?.posture !== after.posture || before.trialEndsAt?.getTime() !== after.trialEndsAt?.getTime();
}

function wrongTrialEnd(why: string): { refusal: RefusalBody } {
  return { refusal: refusal('validation_error', { fields: { trial_ends_at: why } }, why) };
}
