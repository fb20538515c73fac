import { registerDecorator } from 'class-validator';

/** The rules for the names of callers and tenants, wherever they come from: claims of tokens, data of messages, headers. Pure. */

/** An org's id, as a token's `org_id`, a message's header and billing's records have it. */
export const ORG_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

const LONGEST_NAME = 255;
/** What cannot stand in a record, a header or a line of a log: control characters, halves of surrogate pairs, separators of lines. */
const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Whom Reprise itself names: its broker users, itself, its API keys. */
const RESERVED = /^(?:service|reprise|key):/i;

export const SUBJECT_MESSAGE =
  'must be 1 to 255 characters, none of them a control character or half a surrogate pair, and must not begin with service:, reprise: or key:';

/** Whether the value is a name that can be written down: 1 to 255 UTF-16 units without control characters. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME && !UNFIT.test(value);
}

/** Whether the value can be the subject of a token: a name that is none of Reprise's own. */
export function isSubject(value: unknown): value is string {
  return isName(value) && !RESERVED.test(value);
}

/** Whether the value can be the id of an org. */
export function isOrgId(value: unknown): value is string {
  return typeof value === 'string' && ORG_ID.test(value);
}

/** The subject of a token: see `isSubject`. */
export function IsSubject(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isSubject',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: { validate: isSubject, defaultMessage: () => `${String(propertyName)} ${SUBJECT_MESSAGE}` },
    });
}
