import { EXAMPLE } from '@reprise/contracts';
import { missingOf } from './ids.rules';

describe('the 404 of a name that cannot be', () => {
  it('is none where all names have their form, or are not given', () => {
    expect(
      missingOf({ workspace_id: EXAMPLE.workspace, task_id: EXAMPLE.task, role_name: 'coder', provider_id: undefined, force: true }),
    ).toBeNull();
  });

  it.each([
    [{ workspace_id: EXAMPLE.role }, 'workspace_not_found'],
    [{ operation_id: '' }, 'operation_not_found'],
    [{ workspace_id: EXAMPLE.workspace, task_id: 'x' }, 'task_not_found'],
    [{ role_id: EXAMPLE.role.toUpperCase() }, 'role_not_found'],
    [{ role_name: 'Not A Slug' }, 'role_not_found'],
    [{ role_name: 'x'.repeat(64) }, 'role_not_found'],
    [{ provider_id: 'prov_' }, 'provider_not_found'],
  ])('of %j is %s', (data, code) => {
    expect(missingOf(data)).toBe(code);
  });
});
