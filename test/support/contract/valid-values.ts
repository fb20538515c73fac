import fc, { type Arbitrary } from 'fast-check';
import type { Schema } from '@reprise/contracts';
import type { Schemas } from './schemas';

/** How deep a value without a limit of its own goes. */
const DEEPEST = 3;
const MOST_ITEMS = 4;
const LARGEST_INTEGER = 2 ** 31;

export interface Shape {
  /** Whether each optional field is there, and each list and map has something in it, none of it long: so that each can be spoilt. */
  full?: boolean;
}

/** Values that a schema allows, its bounds among them. */
export function validValues(schemas: Schemas, schema: Schema, shape: Shape = {}): Arbitrary<unknown> {
  const values = new Values(schemas, shape).of(schema, 0);
  return values.filter((value) => schemas.allows(schema, value));
}

class Values {
  constructor(
    private readonly schemas: Schemas,
    private readonly shape: Shape,
  ) {}

  of(reference: Schema, depth: number): Arbitrary<unknown> {
    const schema = this.schemas.resolve(reference);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.anyOf && !schema.properties) return this.oneOf(schema.anyOf, depth);
    const types = [schema.type ?? 'string'].flat();
    return fc.oneof(...types.map((type) => this.ofType(type, schema, depth)));
  }

  private oneOf(schemas: readonly Schema[], depth: number): Arbitrary<unknown> {
    const isFlat = (schema: Schema): boolean => schema.type !== 'array' && schema.type !== 'object';
    return fc.oneof(...schemas.filter((schema) => depth < DEEPEST || isFlat(schema)).map((schema) => this.of(schema, depth)));
  }

  private ofType(type: string, schema: Schema, depth: number): Arbitrary<unknown> {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return this.integers(schema);
      case 'number':
        return this.numbers(schema);
      case 'array':
        return this.lists(schema, depth);
      case 'object':
        return this.objects(schema, depth);
      default:
        return texts(schema, this.shape);
    }
  }

  private integers({ minimum = -LARGEST_INTEGER, maximum = LARGEST_INTEGER }: Schema): Arbitrary<number> {
    return fc.oneof(fc.integer({ min: minimum, max: maximum }), fc.constantFrom(minimum, maximum));
  }

  private numbers(schema: Schema): Arbitrary<number> {
    const { minimum: min = -LARGEST_INTEGER, maximum: max = LARGEST_INTEGER, multipleOf } = schema;
    if (multipleOf === undefined) return fc.double({ min, max, noNaN: true });
    const [least, most] = [Math.ceil(min / multipleOf), Math.floor(max / multipleOf)];
    return fc.oneof(fc.integer({ min: least, max: most }), fc.constantFrom(least, most)).map((times) => rounded(times * multipleOf));
  }

  private lists({ items = {}, minItems = 0, maxItems = MOST_ITEMS }: Schema, depth: number): Arbitrary<unknown[]> {
    const each = this.of(items, depth + 1);
    const least = this.shape.full ? Math.max(1, minItems) : minItems;
    const few = fc.array(each, { minLength: least, maxLength: Math.max(least, Math.min(maxItems, MOST_ITEMS)) });
    if (this.shape.full || maxItems <= MOST_ITEMS) return few;
    const many = fc.constant('x').map((item) => Array<unknown>(maxItems).fill(item));
    return fc.oneof({ arbitrary: few, weight: 9 }, { arbitrary: many, weight: 1 });
  }

  private objects(schema: Schema, depth: number): Arbitrary<object> {
    const { properties, required = [], additionalProperties } = schema;
    if (!properties) return typeof additionalProperties === 'object' ? this.maps(schema, additionalProperties, depth) : fc.constant({});
    const fields = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, this.of(inner, depth + 1)]));
    const requiredKeys = this.shape.full ? Object.keys(fields) : required.filter((name) => name in fields);
    return fc.record(fields, { requiredKeys, noNullPrototype: true });
  }

  private maps({ propertyNames = {}, minProperties = 0 }: Schema, values: Schema, depth: number): Arbitrary<object> {
    const keys = texts(propertyNames, this.shape).filter((key) => this.schemas.allows({ type: 'string', ...propertyNames }, key));
    const minKeys = this.shape.full ? Math.max(1, minProperties) : minProperties;
    return fc.dictionary(keys, this.of(values, depth + 1), { minKeys, maxKeys: Math.max(minKeys, MOST_ITEMS), noNullPrototype: true });
  }
}

/** Texts that may have this pattern and these lengths; whoever asks filters them. */
function texts(schema: Schema, { full }: Shape): Arbitrary<string> {
  const { minLength = 0, maxLength, pattern } = schema;
  const longest = fc.constantFrom(...['x', '\u{1f600}', '\u2764\ufe0f'].map((unit) => bounded(unit, minLength, maxLength)));
  const free = fc.oneof(
    fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength ?? 40, 40) }),
    fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength ?? 40, 40) }),
    ...(full ? [] : [longest]),
  );
  if (pattern === undefined) return free;
  const isNegatedClassAlone = pattern.includes('[^\\u0000');
  const regex = new RegExp(pattern, 'u');
  const matching = isNegatedClassAlone ? free : fc.stringMatching(new RegExp(withoutLookahead(pattern)));
  const fits = (text: string): boolean => regex.test(text) && [...text].length >= minLength && [...text].length <= (maxLength ?? Infinity);
  return matching.filter(fits);
}

/** As many as may be; few where there is no limit. */
function bounded(unit: string, least: number, most: number | undefined): string {
  const length = [...unit].length;
  return unit.repeat(Math.max(Math.ceil(least / length), Math.floor((most ?? 3 * length) / length)));
}

/** fast-check makes no texts for lookaheads; what they bar is filtered out. */
function withoutLookahead(pattern: string): string {
  return pattern.replace(/\(\?!(?:[^()]|\([^()]*\))*\)/g, '');
}

function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
