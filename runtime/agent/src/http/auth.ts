import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether the header carries the pod's token. Takes the same time wherever they differ, and whatever their lengths. */
export function isAuthorized(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token)) && given !== '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
