import { getMetadataStorage } from 'class-validator';
import { ID_PREFIX, type IdKind } from '../ids';
import { LARGEST_VARIABLE, LONGEST_VALUE, MOST_VARIABLES, TIME, VARIABLE } from '../messages/rules';
import { LARGEST_SECRET } from '../messages/secret-env';
import { JSON_MAP, STORABLE } from './json-value';
import type { RuleBeyondSchema, Schema } from './schema';

/** One rule of class-validator on one field. */
interface Rule {
  name: string;
  constraints: readonly unknown[];
  each: boolean;
}

const VALUE: Schema = { maxLength: LONGEST_VALUE, pattern: STORABLE };
const variables = (value: Schema): Schema => ({
  type: 'object',
  maxProperties: MOST_VARIABLES,
  propertyNames: { pattern: VARIABLE.source },
  additionalProperties: value,
});

/** What each rule says in JSON Schema; those that are not listed say nothing that a schema can. */
const SAYS: Readonly<Record<string, (constraints: readonly unknown[]) => Schema>> = {
  isString: () => ({ type: 'string' }),
  isLength: ([least, most]) => ({ type: 'string', ...(least === 0 ? {} : { minLength: least as number }), maxLength: most as number }),
  maxLength: ([maxLength]) => ({ type: 'string', maxLength: maxLength as number }),
  matches: ([pattern]) => ({ type: 'string', pattern: (pattern as RegExp).source }),
  isSubject: () => ({ type: 'string', minLength: 1, maxLength: 255, pattern: '^(?!(?:service|reprise|key):)' }),
  isTypeId: ([kind]) => ({ type: 'string', pattern: idPattern(kind as IdKind) }),
  isIn: ([values]) => ({ type: 'string', enum: values as unknown[] }),
  isTime: () => ({ type: 'string', format: 'date-time', pattern: TIME.source }),
  hasDecimals: ([most]) => ({ type: 'number', multipleOf: Number(`1e-${most as number}`) }),
  isInt: () => ({ type: 'integer' }),
  min: ([minimum]) => ({ minimum: minimum as number }),
  max: ([maximum]) => ({ maximum: maximum as number }),
  isBoolean: () => ({ type: 'boolean' }),
  isObject: () => ({ type: 'object' }),
  isNotEmptyObject: () => ({ minProperties: 1 }),
  isJsonMap: () => JSON_MAP,
  isStringMap: () => variables({ type: 'string', ...VALUE }),
  isSecretMap: ([removable]) => variables({ type: removable ? ['string', 'null'] : 'string', ...VALUE }),
  isEncryptedMap: ([removable]) => ({ type: 'object', additionalProperties: { type: removable ? ['string', 'null'] : 'string' } }),
  isArray: () => ({ type: 'array' }),
  arrayMinSize: ([minItems]) => ({ minItems: minItems as number }),
  arrayMaxSize: ([maxItems]) => ({ maxItems: maxItems as number }),
};

/** What a rule asks beyond what JSON Schema can say. */
const ASKS_BEYOND: Readonly<Record<string, (constraints: readonly unknown[]) => readonly RuleBeyondSchema[]>> = {
  beyondSchema: ([rule]) => [rule as RuleBeyondSchema],
  fitsVariable: () => [sized('json_bytes', LARGEST_VARIABLE, `At most ${LARGEST_VARIABLE} bytes as JSON.`)],
  isSecretMap: () => [sized('value_bytes', LARGEST_SECRET, `At most ${LARGEST_SECRET} bytes of UTF-8 for each value.`)],
  isJsonMap: ([size]) => {
    const { depth, values } = size as { depth: number; values: number };
    return [
      sized('depth', depth, `Nested at most ${depth} levels deep.`),
      sized('values', values, `At most ${values} values, counting each element and each field.`),
    ];
  },
};

const sized = (rule: RuleBeyondSchema['rule'], limit: number, description: string): RuleBeyondSchema => ({
  rule,
  limit,
  code: 'validation_error',
  description,
});

/** What a rule of one field says of the whole object. */
const SAYS_OF_WHOLE: Readonly<Record<string, (field: string, constraints: readonly unknown[]) => Schema>> = {
  neededWithout: (field, [other]) => ({ anyOf: [{ required: [field] }, { required: [other as string] }] }),
  goesWith: (field, [other, value]) => ({
    oneOf: [
      { required: [field], properties: { [other as string]: { const: value }, [field]: { not: { type: 'null' } } } },
      { properties: { [other as string]: { not: { const: value } }, [field]: { type: 'null' } } },
    ],
  }),
};

/** What a schema says beyond the rules. */
export interface BeyondRules {
  /** What a field is for. */
  describe?: (field: string) => string | undefined;
  /** Whether a field may be null. By default where the rules take it so: `IsOptional` takes null for "not given". */
  mayBeNull?: (field: string) => boolean;
  /** Fields that are left out: they are not for the reader. */
  without?: readonly string[];
  /** Whether there may be fields that no rule knows. */
  open?: boolean;
  /** The schema of a field that is an object of a class of its own; by default its rules alone, as open as this one. */
  nested?: (Class: new () => object) => Schema;
}

/** The JSON Schema of a class, read from the very rules that are applied to it. */
export function schemaOfRules(Class: new () => object, beyond: BeyondRules = {}): Schema {
  const { describe, mayBeNull, without = [], open = false, nested = (Inner) => schemaOfRules(Inner, { open }) } = beyond;
  const { byField, optional, conditional } = rulesOf(Class);
  const known = [...byField].filter(([field]) => !without.includes(field));
  const nullable = mayBeNull ?? ((field: string) => optional.has(field) || mayGoWithout(byField.get(field)));
  const whole = known.flatMap(([field, rules]) => rules.map(({ name, constraints }) => SAYS_OF_WHOLE[name]?.(field, constraints) ?? {}));
  const properties = known.map(([field, rules]): [string, Schema] => {
    const description = describe?.(field);
    return [field, { ...fieldSchema(Class, field, rules, nullable(field), nested), ...(description === undefined ? {} : { description }) }];
  });
  const required = known.map(([field]) => field).filter((field) => !conditional.has(field));
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length > 0 ? { required } : {}),
    ...(Object.assign({}, ...whole) as Schema),
    additionalProperties: open,
  };
}

/** The pattern of an id's text. */
export function idPattern(kind: IdKind): string {
  return `^${ID_PREFIX[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`;
}

function fieldSchema(
  Class: new () => object,
  field: string,
  rules: readonly Rule[],
  mayBeNull: boolean,
  nested: (Class: new () => object) => Schema,
): Schema {
  const said = (each: boolean): Schema => storable(Object.assign({}, ...rules.filter((rule) => rule.each === each).map(saying)) as Schema);
  const items = said(true);
  const beyond = rules.flatMap(({ name, constraints }) => ASKS_BEYOND[name]?.(constraints) ?? []);
  const inner = rules.some(({ name }) => name === 'nestedValidation') ? nested(typeOf(Class, field)) : {};
  const schema: Schema = { ...said(false), ...inner, ...(Object.keys(items).length > 0 ? { items } : {}) };
  const fallback = (new Class() as Record<string, unknown>)[field];
  return {
    ...schema,
    ...(mayBeNull ? { type: [schema.type as string, 'null'] } : {}),
    ...(mayBeNull && schema.enum ? { enum: [...schema.enum, null] } : {}),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(beyond.length > 0 ? { 'x-beyond-schema': beyond } : {}),
  };
}

/** A text holds nothing that cannot be stored, whatever else it may be. */
function storable(schema: Schema): Schema {
  const isFree = schema.type === 'string' && schema.pattern === undefined && schema.enum === undefined;
  return isFree ? { ...schema, pattern: STORABLE } : schema;
}

/** Whether null stands for "not given" where the field does not belong. */
function mayGoWithout(rules: readonly Rule[] | undefined): boolean {
  return rules?.some(({ name }) => name === 'goesWith') ?? false;
}

/** The class of a field, as the compiler writes it down. */
function typeOf(Class: new () => object, field: string): new () => object {
  return Reflect.getMetadata('design:type', Class.prototype as object, field) as new () => object;
}

function saying({ name, constraints }: Rule): Schema {
  return SAYS[name]?.(constraints) ?? {};
}

function rulesOf(Class: new () => object): { byField: Map<string, Rule[]>; optional: Set<string>; conditional: Set<string> } {
  const byField = new Map<string, Rule[]>();
  const optional = new Set<string>();
  const conditional = new Set<string>();
  for (const rule of getMetadataStorage().getTargetValidationMetadatas(Class, '', false, false)) {
    const { propertyName: field, name, type, constraints, each } = rule;
    if (!byField.has(field)) byField.set(field, []);
    // IsOptional and ValidateIf are of one type; only the first has this name, and takes null.
    if (type === 'conditionalValidation') {
      conditional.add(field);
      if (name === 'isOptional') optional.add(field);
    } else {
      byField.get(field)?.push({ name: name ?? type, constraints: constraints ?? [], each: Boolean(each) });
    }
  }
  return { byField, optional, conditional };
}
