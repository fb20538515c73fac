import { inOrder } from './catalogue';

describe('the order in which tables are loaded', () => {
  it('puts each table after those that its foreign keys name', () => {
    const tables = [
      { name: 'tasks', needs: ['workspaces'] },
      { name: 'workspaces', needs: ['roles'] },
      { name: 'tenants', needs: [] },
      { name: 'roles', needs: [] },
    ];
    expect(inOrder(tables).map(({ name }) => name)).toEqual(['tenants', 'roles', 'workspaces', 'tasks']);
  });

  it('is refused where tables need each other', () => {
    const tables = [
      { name: 'a', needs: ['b'] },
      { name: 'b', needs: ['a'] },
    ];
    expect(() => inOrder(tables)).toThrow('foreign keys go in a circle: a, b');
  });
});
