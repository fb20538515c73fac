import { ORG_ID } from '@reprise/contracts';

/** Who a token names. */
export interface Identity {
  /** The caller. */
  sub: string;
  /** The caller's org. */
  orgId: string;
  permissions: readonly string[];
}

const LONGEST_SUBJECT = 255;
// The subject travels in message headers and logs.
const CONTROL = /[\u0000-\u001f\u007f]/;

/** The caller that the claims of a verified token name, or the sentence that says which claim is wrong. */
export function identityOf(claims: unknown): Identity | string {
  const { sub, org_id, permissions, exp } = (claims ?? {}) as Record<string, unknown>;
  // The verifier checks an expiry only where there is one.
  if (typeof exp !== 'number') return 'The token has no expiry (exp).';
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT || CONTROL.test(sub)) return 'The token names no caller (sub).';
  if (typeof org_id !== 'string' || !ORG_ID.test(org_id)) return 'The token names no organization (org_id).';
  if (!isListOfText(permissions)) return 'The permissions of the token are not a list of scopes.';
  return { sub, orgId: org_id, permissions };
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
