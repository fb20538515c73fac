import { getMetadataStorage, IS_OPTIONAL } from 'class-validator';
import type { ConfigClass, EnvVariable } from './env.decorator';
import { IS_READABLE_FILE, IS_URL_OF } from './rules';

/** What class-validator knows of a property, as far as a sentence is made of it. */
interface Rule {
  readonly name: string;
  readonly constraints: readonly unknown[];
  readonly each: boolean;
}

/** The rules whose meaning {@link phraseFor} puts in words; others speak with class-validator's own message. */
export const PHRASED: ReadonlySet<string> = new Set([
  ...['isInt', 'isNumber', 'isPositive', 'min', 'max', 'isBoolean', 'isString', 'isIn', 'isEnum', 'isArray'],
  ...['minLength', 'maxLength', 'isNotEmpty', 'isDefined', 'arrayNotEmpty', 'matches', IS_URL_OF, IS_READABLE_FILE],
]);

/** Whether a decorator (`@IsOptional()`, `@ValidateIf()`) lets the property be unset. */
export function mayBeUnset(Class: ConfigClass, property: string): boolean {
  return metadataOf(Class, property).some((rule) => rule.type === 'conditionalValidation');
}

/** Whether the property is always optional, not only under a condition. */
export function isOptional(Class: ConfigClass, property: string): boolean {
  return metadataOf(Class, property).some((rule) => rule.name === IS_OPTIONAL);
}

/** The values that a setting may have, as the end of the sentence "… must be": `an integer between 1 and 65535`. */
export function phraseFor(Class: ConfigClass, variable: EnvVariable): string {
  const rules = new Map<string, Rule>();
  for (const { name, constraints, each } of metadataOf(Class, variable.property)) {
    if (name !== undefined) rules.set(name, { name, constraints: constraints ?? [], each });
  }
  const choice = choices(rules);
  switch (variable.type) {
    case 'number':
      return choice ?? numberPhrase(rules);
    case 'boolean':
      return 'true or false';
    case 'list': {
      const filled = rules.has('arrayNotEmpty') ? 'a non-empty comma-separated list' : 'a comma-separated list';
      return choice === undefined ? filled : `${filled}, each ${choice}`;
    }
    case 'text':
      return choice ?? textPhrase(rules);
  }
}

function metadataOf(Class: ConfigClass, property: string) {
  return getMetadataStorage()
    .getTargetValidationMetadatas(Class, '', false, false)
    .filter((rule) => rule.propertyName === property);
}

function choices(rules: ReadonlyMap<string, Rule>): string | undefined {
  const values = rules.get('isIn')?.constraints[0] ?? rules.get('isEnum')?.constraints[1];
  return Array.isArray(values) ? `one of ${values.join(', ')}` : undefined;
}

/** The first argument of a rule's decorator, as it is shown. */
function argument(rules: ReadonlyMap<string, Rule>, name: string): string | undefined {
  const value = rules.get(name)?.constraints[0];
  if (value instanceof RegExp) return value.toString();
  return typeof value === 'number' || typeof value === 'string' ? String(value) : undefined;
}

function numberPhrase(rules: ReadonlyMap<string, Rule>): string {
  const kind = rules.has('isInt') ? 'an integer' : 'a number';
  const min = argument(rules, 'min');
  const max = argument(rules, 'max');
  if (min !== undefined && max !== undefined) return `${kind} between ${min} and ${max}`;
  if (min !== undefined) return `${kind} of at least ${min}`;
  if (max !== undefined) return `${kind} of at most ${max}`;
  return rules.has('isPositive') ? `${kind} greater than 0` : kind;
}

function textPhrase(rules: ReadonlyMap<string, Rule>): string {
  const schemes = rules.get(IS_URL_OF)?.constraints[0];
  if (Array.isArray(schemes)) return `a URL starting with ${schemes.map((s) => `${String(s)}://`).join(' or ')}`;
  if (rules.has(IS_READABLE_FILE)) return 'the path of a file that can be read';
  const pattern = argument(rules, 'matches');
  if (pattern !== undefined) return `text matching ${pattern}`;
  const min = argument(rules, 'minLength');
  const max = argument(rules, 'maxLength');
  if (min !== undefined && max !== undefined) return `text of ${min} to ${max} characters`;
  if (min !== undefined) return `text of at least ${min} characters`;
  if (max !== undefined) return `text of at most ${max} characters`;
  return 'text';
}
