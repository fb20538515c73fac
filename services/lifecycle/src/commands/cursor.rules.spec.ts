import { newId } from '@reprise/contracts';
import { cursorAfter, idOfCursor, PAGE_BYTES, pageOf } from './cursor.rules';

describe('a cursor', () => {
  it('gives back the id that it was made of', () => {
    const id = newId('workspace');
    expect(idOfCursor(cursorAfter(id), 'workspace')).toEqual({ before: id });
    expect(idOfCursor(undefined, 'workspace')).toEqual({ before: null });
  });

  it.each(['', 'x', '!!!', cursorAfter('ws_1'), cursorAfter(newId('task')), `${cursorAfter(newId('workspace'))}=`])(
    'refuses %p',
    (cursor) => {
      expect(idOfCursor(cursor, 'workspace')).toMatchObject({ refused: { code: 'invalid_cursor' } });
    },
  );

  it('is there only where there is more', () => {
    const rows = rowsOf(1, 1, 1);
    const same = (row: (typeof rows)[0]) => row;
    expect(pageOf(rows, 3, same).cursor).toBeUndefined();
    expect(pageOf(rows, 2, same)).toEqual({ page: rows.slice(0, 2), cursor: cursorAfter(rows[1]!.id) });
  });
});

describe('a page', () => {
  const half = PAGE_BYTES / 2;

  it.each([
    ['two that fill it and one more', [half - 50, half - 50, 1], 2],
    ['the first alone is too large', [2 * PAGE_BYTES, 1, 1], 1],
    ['the second is too large', [1, 2 * PAGE_BYTES, 1], 1],
    ['all fit', [1, 1, 1], 3],
  ])('ends by its bytes as well as by its number, and has one thing at least: %s', (_, sizes, fit) => {
    const rows = rowsOf(...sizes);
    const { page, cursor } = pageOf(rows, 200, ({ id, text }) => ({ id, text }));
    expect(page.map(({ id }) => id)).toEqual(rows.slice(0, fit).map(({ id }) => id));
    expect(cursor).toBe(fit < rows.length ? cursorAfter(rows[fit - 1]!.id) : undefined);
  });
});

const rowsOf = (...sizes: number[]) => sizes.map((size) => ({ id: newId('workspace'), text: 'x'.repeat(size) }));
