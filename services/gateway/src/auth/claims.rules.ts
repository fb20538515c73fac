import { isOrgId, isSubject, SUBJECT_MESSAGE } from '@reprise/contracts';

/** Who a token names. */
export interface Identity {
  /** The caller. */
  sub: string;
  /** The caller's org. */
  orgId: string;
  permissions: readonly string[];
  /** Whether the token is for the API of tenants. */
  isForTenants: boolean;
  /** Whether the token is an operator's: only then scopes of operators count. */
  isOperators: boolean;
}

/** Whose tokens are for what. */
export interface Audiences {
  jwtAudience: string;
  operatorAudience?: string;
  operatorOrgs: readonly string[];
}

/** The caller that the claims of a verified token name, or the sentence that says which claim is wrong. */
export function identityOf(claims: unknown, audiences: Audiences): Identity | string {
  const { sub, org_id, permissions, exp, aud } = (claims ?? {}) as Record<string, unknown>;
  // The verifier checks an expiry only where there is one.
  if (typeof exp !== 'number') return 'The token has no expiry (exp).';
  if (!isSubject(sub)) return `The subject of the token (sub) ${SUBJECT_MESSAGE}.`;
  if (!isOrgId(org_id)) return 'The token names no organization (org_id).';
  if (!isListOfText(permissions)) return 'The permissions of the token are not a list of scopes.';
  const named = ([] as unknown[]).concat(aud);
  const isOperators =
    audiences.operatorOrgs.includes(org_id) || (audiences.operatorAudience !== undefined && named.includes(audiences.operatorAudience));
  return { sub, orgId: org_id, permissions, isForTenants: named.includes(audiences.jwtAudience), isOperators };
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
