import { type ErrorCode, isId, SLUG } from '@reprise/contracts';

/** What is answered where there is no such thing, and how to tell that there can be none. */
interface Name {
  wellFormed: (value: unknown) => boolean;
  missing: ErrorCode;
}

/** The fields of messages that name something. */
const NAMES: Readonly<Record<string, Name>> = {
  workspace_id: { wellFormed: (value) => isId('workspace', value), missing: 'workspace_not_found' },
  operation_id: { wellFormed: (value) => isId('operation', value), missing: 'operation_not_found' },
  task_id: { wellFormed: (value) => isId('task', value), missing: 'task_not_found' },
  role_id: { wellFormed: (value) => isId('role', value), missing: 'role_not_found' },
  role_name: { wellFormed: (value) => typeof value === 'string' && SLUG.test(value), missing: 'role_not_found' },
  dead_letter_id: { wellFormed: (value) => isId('dead_letter', value), missing: 'dead_letter_not_found' },
  replay_id: { wellFormed: (value) => isId('replay', value), missing: 'replay_not_found' },
  provider_id: { wellFormed: (value) => isId('provider', value), missing: 'provider_not_found' },
};

/** The 404 for the first name of the wrong form, which is the one for a name that does not exist; null where all are well formed. */
export function missingOf(data: object): ErrorCode | null {
  for (const [field, value] of Object.entries(data)) {
    const name = Object.hasOwn(NAMES, field) ? NAMES[field] : undefined;
    if (name && value !== undefined && !name.wellFormed(value)) return name.missing;
  }
  return null;
}
