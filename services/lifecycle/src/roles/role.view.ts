import type { RoleView } from '@reprise/contracts';
import type { RoleEntity } from './role.entity';

/** A role as the REST contract shows it. */
export function roleView({ org_id: _org, created_at, updated_at, archived_at, ...rest }: RoleEntity): RoleView {
  return {
    ...rest,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
    archived_at: archived_at?.toISOString() ?? null,
  };
}
