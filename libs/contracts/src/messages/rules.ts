import { registerDecorator } from 'class-validator';

/** A name that can stand in an address: lower-case letters, digits and inner hyphens. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MOST_VARIABLES = 128;
const LONGEST_VALUE = 32_768;

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
  const entries = Object.entries(value);
  return (
    entries.length <= MOST_VARIABLES &&
    entries.every(
      ([name, text]) =>
        VARIABLE.test(name) &&
        !name.startsWith('REPRISE_') &&
        typeof text === 'string' &&
        text.length <= LONGEST_VALUE &&
        !text.includes('\0'),
    )
  );
}
