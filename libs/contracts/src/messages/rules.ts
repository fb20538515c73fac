import { IsInt, Max, Min, ValidateIf, type ValidationOptions, registerDecorator } from 'class-validator';
import type { RuleBeyondSchema } from '../schemas/schema';

/** A name that can stand in an address: lower-case letters, digits and inner hyphens. */
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The name of an environment variable that is not one of Reprise's own. No object can keep `__proto__`. */
export const VARIABLE = /^(?!REPRISE_|__proto__$)[A-Za-z_][A-Za-z0-9_]{0,127}$/;
export const MOST_VARIABLES = 128;
export const LONGEST_VALUE = 32_768;

/** The days that there are: 29 February in leap years alone. */
const MONTH_AND_DAY = '(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8])';
const LEAP_YEAR = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
/**
 * RFC 3339, of which ISO 8601 is more: weeks and ordinal days, which `Date` does not read, years that PostgreSQL does not take, and an hour 24. Offsets
 * as there are on Earth: PostgreSQL takes none of 16 hours or more. One pattern, so that the documents can say all of it.
 */
export const TIME = new RegExp(
  `^(?!0000)(?:\\d{4}-(?:${MONTH_AND_DAY})|${LEAP_YEAR}-02-29)` +
    'T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)$',
);
/** The largest that the database's columns for counts take. */
const LARGEST_COUNT = 2_147_483_647;

/**
 * A text of so many characters. In the place of class-validator's rule of this name, which counts a variation selector as nothing, finds pairs by
 * making a list of them, and whose message turns any value into text, which `[{"toString": 1}]` does not let it do.
 */
export function Length(least: number, most: number, options?: ValidationOptions): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isLength',
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [least, most],
      options,
      validator: {
        validate: (value: unknown) => typeof value === 'string' && hasLength(value, least, most),
        defaultMessage: () =>
          `${options?.each ? `each of ${String(propertyName)}` : String(propertyName)} must have ${least} to ${most} characters`,
      },
    });
}

function hasLength(text: string, least: number, most: number): boolean {
  // A character has two units at most, so that what is far too long is not looked at.
  if (text.length < least || text.length > 2 * most) return false;
  let characters = text.length;
  for (let at = 0; at < text.length - 1; at++) if ((text.codePointAt(at) ?? 0) > 0xffff) characters--;
  return characters >= least && characters <= most;
}

/** A moment, in RFC 3339. */
export function IsTime(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isTime',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (value: unknown) => typeof value === 'string' && TIME.test(value),
        defaultMessage: () => `${String(propertyName)} must be a time such as 2026-11-02T09:30:00.000Z`,
      },
    });
}

/** A number with so many decimals at most. class-validator's own rule throws at one that is written with an exponent. */
export function HasDecimals(most: number): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'hasDecimals',
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [most],
      validator: {
        validate: (value: unknown) => typeof value === 'number' && Number.isFinite(value) && Number(value.toFixed(most)) === value,
        defaultMessage: () => `${String(propertyName)} must be a number with at most ${most} decimals`,
      },
    });
}

/** A number that counts from 1: a generation, an attempt, a version. */
export function IsCounter(): PropertyDecorator {
  return (target, propertyName) => [IsInt(), Min(1), Max(LARGEST_COUNT)].forEach((rule) => rule(target, propertyName));
}

/** A field that need not be there; one that is there is a value, not null. */
export function MayBeLeftOut(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** A field that may be left out where the other one is given: at least one of the two is needed. */
export function NeededWithout(other: string): PropertyDecorator {
  return (target, propertyName) => {
    ValidateIf((object: Record<string, unknown>, value) => value !== undefined || object[other] === undefined)(target, propertyName);
    documentRule('neededWithout', [other])(target, propertyName);
  };
}

/** The field is needed where the other one has this value, and is null or left out elsewhere. Documented here; the handler refuses. */
export function GoesWith(other: string, value: string): PropertyDecorator {
  return documentRule('goesWith', [other, value]);
}

/** A rule that JSON Schema cannot express. The documents list it beside the field; where it is checked is not here. */
export function BeyondSchema(rule: RuleBeyondSchema): PropertyDecorator {
  return documentRule('beyondSchema', [rule]);
}

/** A rule that always holds, for the documents to read. */
function documentRule(name: string, constraints: unknown[]): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: propertyName as string,
      constraints,
      validator: { validate: () => true },
    });
}

/**
 * The most bytes of JSON that a role's command, its environment and its provider's config may each have. Each reaches the pod in one variable of its
 * environment, and Linux starts no program with a longer one (`MAX_ARG_STRLEN`, 128 KiB with name and end).
 */
export const LARGEST_VARIABLE = 128 * 1024 - 64;

/** Whether a pod can be started with the value as JSON in one of its environment variables. */
export function fitsVariable(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value) ?? '') <= LARGEST_VARIABLE;
}

/** A value that reaches the pod as JSON, in one of its environment variables. */
export function FitsVariable(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'fitsVariable',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: fitsVariable,
        defaultMessage: () =>
          `${String(propertyName)} must have at most ${LARGEST_VARIABLE} bytes as JSON: a pod could not be started with more`,
      },
    });
}

/** A provider's config goes to the pod within a message, which may nest no deeper and hold no more values than any other. */
export const CONFIG_SIZE = { depth: 32, values: 5_000 } as const;

/** A map of anything that JSON has, neither too deep nor of too many values to go on within a message that holds more. The map counts as well. */
export function IsJsonMap({ depth, values }: { depth: number; values: number }): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isJsonMap',
      target: target.constructor,
      propertyName: propertyName as string,
      constraints: [{ depth, values }],
      validator: {
        validate: (value: unknown) => valuesWithin(value, depth, values) <= values,
        defaultMessage: () => `${String(propertyName)} must have at most ${values} values and be nested at most ${depth} levels deep`,
      },
    });
}

/** How many values there are, or more than `most` where there are more or one is too deep. */
function valuesWithin(value: unknown, levels: number, most: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  if (levels === 0) return most + 1;
  let count = 1;
  for (const each of Object.values(value)) {
    count += valuesWithin(each, levels - 1, most - count);
    if (count > most) break;
  }
  return count;
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
    entries.every(([name, text]) => VARIABLE.test(name) && typeof text === 'string' && hasLength(text, 0, longest) && !text.includes('\0'))
  );
}
