import { IsInt, Max, Min, ValidateIf, registerDecorator } from 'class-validator';

/** A name that can stand in an address: lower-case letters, digits and inner hyphens. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MOST_VARIABLES = 128;
const LONGEST_VALUE = 32_768;

/** RFC 3339, of which ISO 8601 is more: weeks and ordinal days, which `Date` does not read, and years that PostgreSQL does not take. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
/** The largest that the database's columns for counts take. */
const LARGEST_COUNT = 2_147_483_647;

/** A moment, in RFC 3339. */
export function IsTime(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isTime',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isTime(value),
        defaultMessage: () => `${String(propertyName)} must be a time such as 2026-11-02T09:30:00.000Z`,
      },
    });
}

function isTime(text: string): boolean {
  if (!TIME.test(text) || Number.isNaN(Date.parse(text))) return false;
  // A day that its month does not have is read as one of the next month.
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  return year > 0 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** A number that counts from 1: a generation, an attempt, a version. */
export function IsCounter(): PropertyDecorator {
  return (target, propertyName) => [IsInt(), Min(1), Max(LARGEST_COUNT)].forEach((rule) => rule(target, propertyName));
}

/** A field that need not be there; one that is there is a value, not null. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** A map of environment variables: valid names, string values without NUL, none of Reprise's own names. */
export function IsStringMap(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isStringMap',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (value: unknown) => isVariables(value),
        defaultMessage: () =>
          `${String(propertyName)} must map at most ${MOST_VARIABLES} variable names (none starting with REPRISE_) to strings of at most ${LONGEST_VALUE} characters`,
      },
    });
}

function isVariables(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return areVariables(Object.entries(value));
}

/** Whether these are variables that a process can be given, and no more of them than a role may have. */
export function areVariables(entries: readonly (readonly [name: string, text: unknown])[], longest = LONGEST_VALUE): boolean {
  return (
    entries.length <= MOST_VARIABLES &&
    entries.every(
      ([name, text]) =>
        VARIABLE.test(name) && !name.startsWith('REPRISE_') && typeof text === 'string' && text.length <= longest && !text.includes('\0'),
    )
  );
}
