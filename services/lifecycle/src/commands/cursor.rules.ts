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

/** About the most that a page has, in bytes of JSON; a single thing that is larger is a page of its own. */
export const PAGE_BYTES = 1_048_576;

/**
 * The page that the rows begin with, as it is shown: `limit` of them or as many as fit. Where more were read than it has, which is why one row more
 * than the limit is read, it comes with the cursor to the next.
 */
export function pageOf<Row extends { id: string }, View>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => View,
): { page: View[]; cursor?: string } {
  const page = thatFit(rows.slice(0, limit), view);
  const last = rows[page.length - 1];
  return page.length < rows.length && last ? { page, cursor: cursorAfter(last.id) } : { page };
}

/** The first of the rows, as they are shown, as many as fit into a page; at least one, where there is one. */
export function thatFit<Row, View>(rows: readonly Row[], view: (row: Row) => View): View[] {
  const shown: View[] = [];
  let bytes = 0;
  for (const row of rows) {
    const each = view(row);
    bytes += Buffer.byteLength(JSON.stringify(each));
    if (bytes > PAGE_BYTES && shown.length > 0) break;
    shown.push(each);
  }
  return shown;
}
