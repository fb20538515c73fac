import { getMetadataStorage } from 'class-validator';
import { mayBeNull } from '../input/allow-null.decorator';
import { descriptionOf } from './describes.decorator';
import type { Schema } from './schema';

type Class = new () => object;
/** One rule of class-validator on one field. */
interface Rule {
  name: string;
  constraints: readonly unknown[];
  each: boolean;
}

/** What each rule says in JSON Schema; those that are not listed say nothing that a schema can. */
const SAYS: Readonly<Record<string, (constraints: readonly unknown[]) => Schema>> = {
  isString: () => ({ type: 'string' }),
  isLength: ([minLength, maxLength]) => ({ type: 'string', minLength: minLength as number, maxLength: maxLength as number }),
  maxLength: ([maxLength]) => ({ type: 'string', maxLength: maxLength as number }),
  matches: ([pattern]) => ({ type: 'string', pattern: (pattern as RegExp).source }),
  isIn: ([values]) => ({ type: 'string', enum: values as unknown[] }),
  isIso8601: () => ({ type: 'string', format: 'date-time' }),
  isInt: () => ({ type: 'integer' }),
  min: ([minimum]) => ({ minimum: minimum as number }),
  max: ([maximum]) => ({ maximum: maximum as number }),
  isBoolean: () => ({ type: 'boolean' }),
  isObject: () => ({ type: 'object' }),
  isStringMap: () => ({ type: 'object', additionalProperties: { type: 'string' } }),
  isArray: () => ({ type: 'array' }),
  arrayMinSize: ([minItems]) => ({ minItems: minItems as number }),
  arrayMaxSize: ([maxItems]) => ({ maxItems: maxItems as number }),
};

/** The JSON Schema of an input, read from the very rules that are applied to it. */
export function schemaOf(Class: Class): Schema {
  const { fields: words, example = {} } = descriptionOf(Class);
  const rules = rulesOf(Class);
  const properties = [...rules].map(([field, own]): [string, Schema] => [field, fieldSchema(Class, field, own, words[field])]);
  const required = [...rules].filter(([, own]) => !own.some(({ name }) => name === 'conditionalValidation')).map(([field]) => field);
  const shown = Object.fromEntries(Object.entries(example).filter(([field]) => rules.has(field)));
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
    ...(Object.keys(shown).length > 0 ? { examples: [shown] } : {}),
  };
}

function fieldSchema(Class: Class, field: string, rules: readonly Rule[], description: string | undefined): Schema {
  const said = (each: boolean): Schema => Object.assign({}, ...rules.filter((rule) => rule.each === each).map(saying)) as Schema;
  const items = said(true);
  const nested = rules.some(({ name }) => name === 'nestedValidation') ? schemaOf(typeOf(Class, field)) : {};
  const schema: Schema = { ...said(false), ...nested, ...(Object.keys(items).length > 0 ? { items } : {}) };
  const fallback = (new Class() as Record<string, unknown>)[field];
  return {
    ...schema,
    ...(mayBeNull(Class, field) ? { type: [schema.type as string, 'null'] } : {}),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(description === undefined ? {} : { description }),
  };
}

/** The class of a field, as the compiler writes it down. */
function typeOf(Class: Class, field: string): Class {
  return Reflect.getMetadata('design:type', Class.prototype as object, field) as Class;
}

function saying({ name, constraints }: Rule): Schema {
  return SAYS[name]?.(constraints) ?? {};
}

function rulesOf(Class: Class): Map<string, Rule[]> {
  const byField = new Map<string, Rule[]>();
  for (const { propertyName, name, type, constraints, each } of getMetadataStorage().getTargetValidationMetadatas(
    Class,
    '',
    false,
    false,
  )) {
    const rules = byField.get(propertyName) ?? [];
    // A conditional rule (IsOptional, ValidateIf) has a name of its own or none; its type is always this one.
    rules.push({ name: type === 'conditionalValidation' ? type : (name ?? type), constraints: constraints ?? [], each: Boolean(each) });
    byField.set(propertyName, rules);
  }
  return byField;
}
