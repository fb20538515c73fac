import { newId } from '@reprise/contracts';
import { cursorAfter, idOfCursor, pageOf } from './cursor.rules';

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
    const rows = [1, 2, 3].map(() => ({ id: newId('workspace') }));
    expect(pageOf(rows, 3).cursor).toBeUndefined();
    expect(pageOf(rows, 2)).toEqual({ page: rows.slice(0, 2), cursor: cursorAfter(rows[1]!.id) });
  });
});
