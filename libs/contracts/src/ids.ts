import { TypeID, typeid } from 'typeid-js';

/** The prefix of every kind of id. An id is a TypeID: prefix, underscore, 26 characters of a UUIDv7 in Crockford base 32. */
export const ID_PREFIX = {
  workspace: 'ws',
  operation: 'op',
  snapshot: 'snap',
  task: 'task',
  role: 'role',
  provider: 'prov',
  message: 'msg',
  job: 'job',
  dead_letter: 'dl',
  replay: 'rpl',
} as const;

export type IdKind = keyof typeof ID_PREFIX;

/** A new id of this kind; ids made later sort after ids made earlier, to the millisecond. */
export function newId(kind: IdKind): string {
  return typeid(ID_PREFIX[kind]).toString();
}

/** Whether the value is a well-formed id of this kind. Never throws: it is asked about whatever a caller sent. */
export function isId(kind: IdKind, value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== ID_PREFIX[kind].length + 27) return false;
  try {
    return TypeID.fromString(value, ID_PREFIX[kind]).toString() === value;
  } catch {
    return false;
  }
}
