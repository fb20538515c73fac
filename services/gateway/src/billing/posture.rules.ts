import { type RefusalBody, refusal, type TenantView } from '@reprise/contracts';

/** Why this tenant may not add; null where it may. Whether it may is billing's word, the sentence is ours. */
export function refusalFor({ posture, trial_ends_at, may_add }: TenantView): RefusalBody | null {
  if (may_add) return null;
  const details = trial_ends_at === null ? { posture } : { posture, trial_ends_at };
  const why =
    posture === 'trial' ? `The trial of the organization ended at ${trial_ends_at ?? 'its end'}` : `The organization is ${posture}`;
  return refusal('billing_inactive', details, `${why}, so nothing can be added; winding down and reading are still possible.`);
}
