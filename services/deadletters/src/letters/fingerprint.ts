import { createHash } from 'node:crypto';

/** What of a message decides that it is the same one, wherever it comes from. */
export interface Identifying {
  queue: string;
  messageId: string | undefined;
  type: string | undefined;
  orgId: string | undefined;
  subject: string | undefined;
  actor: string | undefined;
  body: Buffer;
}

/** The same for two copies of one message from one queue, and for no others. Messages without an id are the same if they hold the same. */
export function identityOf({ queue, messageId, type, orgId, subject, actor, body }: Identifying): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([queue, messageId, type, orgId, subject, actor]))
    .update(body)
    .digest();
}

/** The same for letters that failed for the same cause, as far as can be told: type, queue, reason, and the exception without its particulars. */
export function fingerprintOf(type: string | undefined, queue: string, reason: string, exception: string | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify([type ?? null, queue, reason, exception === undefined ? null : withoutParticulars(exception)]))
    .digest('hex')
    .slice(0, 16);
}

/** What differs from one message to the next: ids, times, addresses, numbers, what is quoted. */
const PARTICULARS: readonly [RegExp, string][] = [
  [/\b[a-z]{2,6}_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, '<id>'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z?/g, '<time>'],
  [/"[^"\n]*"|'[^'\n]*'|`[^`\n]*`/g, '<text>'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '<hex>'],
  [/\d+/g, '<n>'],
];

export function withoutParticulars(exception: string): string {
  return PARTICULARS.reduce((text, [pattern, word]) => text.replace(pattern, word), exception.slice(0, 2_000));
}

/** Text as a column takes it: no NUL, no half of a surrogate pair, not endless. */
export function storable(text: string | undefined, longest = 255): string | null {
  if (text === undefined) return null;
  return text
    .slice(0, longest)
    .replaceAll('\0', '\uFFFD')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}
