/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

// `token`, `pod_token`, `accessToken`, `REPLICA_PASSWORD`, …; the others only as they stand.
const SECRET_KEY =
  '[\\w-]*(?:token|password|passwd|passphrase|secret)|(?:proxy-)?authorization|(?:set-)?cookie|[\\w-]*api[_-]?key|private_?key';

// A string, an array, or a number, behind such a key, at any depth.
const SECRET_FIELD = new RegExp(`("(?:${SECRET_KEY})"\\s*:\\s*)(?:"(?:[^"\\\\]|\\\\.)*"|\\[[^\\]]*\\]|[\\d.]+)`, 'gi');
// Seven times cheaper than the expression above, and says no to almost every line.
const MAY_HOLD_SECRET = /token|passw|passphrase|secret|authorization|cookie|key"/i;
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>\\]+@/gi;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
const JWT = /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;

/** Removes what looks like a credential from free text: bearer tokens, JSON web tokens, the user part of URLs. */
export function redactText(text: string): string {
  let safe = text;
  // The checks are an order of magnitude cheaper than the expressions, and almost always say no.
  if (safe.includes('://')) safe = safe.replace(URL_CREDENTIALS, `$1${REDACTED}@`);
  if (safe.includes('eyJ')) safe = safe.replace(JWT, REDACTED);
  return safe.replace(BEARER, `$1 ${REDACTED}`);
}

/**
 * Removes secrets from one serialized log line. It works on the text rather than on named paths, so that a token in an
 * error's message, or five levels down in an object, is caught as well.
 */
export function redactLine(line: string): string {
  return redactText(MAY_HOLD_SECRET.test(line) ? line.replace(SECRET_FIELD, `$1"${REDACTED}"`) : line);
}
