import { MASKED, type RoleView } from '@reprise/contracts';
import type { RoleEntity } from './role.entity';

/** A role as the REST contract shows it. Values of secrets are never shown, those of `env` to whoever may change them. */
export function roleView(
  { org_id: _org, env, secret_env, created_at, updated_at, archived_at, ...rest }: RoleEntity,
  { values }: { values: boolean },
): RoleView {
  return {
    ...rest,
    env: values ? env : masked(env),
    secret_env: Object.keys(secret_env).sort(),
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
    archived_at: archived_at?.toISOString() ?? null,
  };
}

/** The names alone. */
export function masked(values: object): Record<string, string> {
  return Object.fromEntries(Object.keys(values).map((name) => [name, MASKED]));
}
