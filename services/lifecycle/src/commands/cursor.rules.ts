import { IdKind, RefusalBody, isId, refusal } from '@reprise/contracts';

/** Opaque cursors of lists that are ordered by id, newest first. Pure. */

export function cursorAfter(id: string): string {
  return Buffer.from(`1:${id}`).toString('base64url');
}

/** The id that a page begins below; null without a cursor; a refusal where the cursor is not one of this list's. */
export function idOfCursor(cursor: string | undefined, kind: IdKind): { before: string | null } | { refused: RefusalBody } {
  if (cursor === undefined) return { before: null };
  const [version, id] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  return version === '1' && isId(kind, id) && cursorAfter(id) === cursor ? { before: id } : { refused: refusal('invalid_cursor') };
}

/** Splits what was read with one row more than asked into the page and, if there is more, the cursor to it. */
export function pageOf<T extends { id: string }>(rows: readonly T[], limit: number): { page: T[]; cursor?: string } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return rows.length > limit && last ? { page, cursor: cursorAfter(last.id) } : { page };
}
