import { MASKED, type RoleSummary, type RoleView } from '@reprise/contracts';
import type { RoleEntity } from './role.entity';
import type { ListedRole } from './roles.repository';

/** A role as the REST contract shows it. Values of secrets are never shown, those of `env` to whoever may change them. */
export function roleView({ env, secret_env, ...row }: RoleEntity, { values }: { values: boolean }): RoleView {
  return { ...roleSummary(row), env: values ? env : masked(env), secret_env: Object.keys(secret_env).sort() };
}

/** The same in a list. */
export function roleSummary({ org_id: _org, created_at, updated_at, archived_at, ...rest }: ListedRole): RoleSummary {
  return {
    ...rest,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
    archived_at: archived_at?.toISOString() ?? null,
  };
}

/** The names alone. */
export function masked(values: object): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, MASKED]));
}
