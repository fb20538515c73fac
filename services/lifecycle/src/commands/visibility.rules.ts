import { Caller, ErrorCode, RefusalBody, Scope, refusal } from '@reprise/contracts';

/** Whether a caller whose scope is narrowed to what it created may touch this. Pure. */
export function mayTouch(caller: Caller | undefined, createdBy: string): boolean {
  return !caller?.own_only || caller.sub === createdBy;
}

/** The refusal of a write to what another created: only the scope without `:own` would do. */
export function notCreator(required: Scope): RefusalBody {
  return refusal('permission_denied', { required: [required] });
}

/** The refusal of a read of what another created. */
export const NOT_VISIBLE: RefusalBody = refusal('workspace_not_visible');

/** A 404 names nothing but itself: it is the same for what never was, what is another tenant's, and what is no id at all. */
export function notFound(code: Extract<ErrorCode, `${string}_not_found`>): RefusalBody {
  return refusal(code);
}
