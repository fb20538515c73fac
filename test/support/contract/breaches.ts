import type { Schema } from '@reprise/contracts';
import type { Json } from '../json';
import type { Schemas } from './schemas';

type Path = readonly (string | number)[];

/** One way to spoil a valid value: one thing about it is wrong. */
export interface Breach {
  /** Where, and what, for whoever reads a failure. */
  what: string;
  /** A copy that is spoilt; the same again where this value does not have what would be spoilt. */
  spoil: (valid: Json) => unknown;
}

const NUL = '\0';
const HALF_A_PAIR = '\ud83d';
const OF_EACH_TYPE: Readonly<Record<string, unknown>> = { string: 'text', number: 0.25, boolean: true, null: null, array: [], object: {} };
const ODD_TEXTS = [NUL, `a${NUL}b`, HALF_A_PAIR, `${HALF_A_PAIR}x`, 'Not A Slug', 'a\n', ' ', '2026-02-30T00:00:00Z', 'REPRISE_X', '-'];
const ODD_KEYS = [`a${NUL}`, HALF_A_PAIR, '__proto__', '1A', 'REPRISE_X', 'A-B', ''];

/** Every way to spoil a value of this schema by one thing; a test asks the schema whether a value is indeed spoilt. */
export function breachesOf(schemas: Schemas, schema: Schema): Breach[] {
  return new Breaches(schemas).at(schema, []);
}

class Breaches {
  constructor(private readonly schemas: Schemas) {}

  at(reference: Schema, path: Path): Breach[] {
    const schema = this.schemas.resolve(reference);
    const replaced = [...wrongTypes(schema), ...wrongValues(schema)].map((value) => replacing(path, value));
    return [...replaced, ...this.ofFields(schema, path), ...this.ofItems(schema, path), ...this.ofEntries(schema, path)];
  }

  private ofFields({ properties, additionalProperties }: Schema, path: Path): Breach[] {
    if (!properties) return [];
    const names = Object.keys(properties);
    return [
      ...names.map((name) => changing(path, `without ${name}`, (object) => without(object, [name]))),
      changing(path, 'without anything', () => ({})),
      ...(additionalProperties === false ? ['surprise', '__proto__', ''] : []).map((name) =>
        changing(path, `with ${JSON.stringify(name)}`, (object) => withEntry(object, name, 1)),
      ),
      ...this.acrossFields(properties, path),
      ...names.flatMap((name) => this.at(properties[name]!, [...path, name])),
    ];
  }

  /** What two fields together may not be. */
  private acrossFields(properties: Readonly<Record<string, Schema>>, path: Path): Breach[] {
    const choices = Object.entries(properties).filter(([, { enum: values }]) => values);
    return choices.flatMap(([name, { enum: values = [] }]) =>
      values.map((value) => changing(path, `with ${name} ${String(value)}`, (object) => withEntry(object, name, value))),
    );
  }

  private ofItems({ items, minItems = 0, maxItems }: Schema, path: Path): Breach[] {
    if (!items) return [];
    const repeated = (list: Json): unknown => Array<unknown>((maxItems ?? 0) + 1).fill((list as unknown[])[0]);
    return [
      ...(minItems > 0 ? [changing(path, 'with too few', (list) => (list as unknown[]).slice(0, minItems - 1))] : []),
      ...(maxItems === undefined ? [] : [changing(path, 'with too many', repeated)]),
      ...this.at(items, [...path, 0]),
    ];
  }

  private ofEntries({ additionalProperties, maxProperties, propertyNames }: Schema, path: Path): Breach[] {
    if (typeof additionalProperties !== 'object') return [];
    const first = (object: Json): unknown => Object.values(object as object)[0];
    const many = (object: Json): object =>
      Object.fromEntries(Array.from({ length: (maxProperties ?? 0) + 1 }, (_, index) => [`K${index}`, first(object)]));
    const values = this.schemas.resolve(additionalProperties);
    return [
      ...(propertyNames ? ODD_KEYS : []).map((key) =>
        changing(path, `with the key ${JSON.stringify(key)}`, (object) => withEntry(object, key, first(object))),
      ),
      ...(maxProperties === undefined ? [] : [changing(path, 'with too many', many)]),
      ...[...wrongTypes(values), ...wrongValues(values)].map((value) =>
        changing(path, `with the value ${written(value)}`, (object) => withEntry(object, Object.keys(object as object)[0] ?? 'KEY', value)),
      ),
    ];
  }
}

function wrongTypes({ type, anyOf }: Schema): unknown[] {
  if (type === undefined && anyOf) return [];
  return Object.values(OF_EACH_TYPE);
}

function wrongValues({ minimum, maximum, minLength, maxLength, enum: choices, anyOf, properties }: Schema): unknown[] {
  return [
    ...ODD_TEXTS,
    '',
    ...(minimum === undefined ? [] : [minimum - 1, minimum - 0.001, minimum + 0.0005]),
    ...(maximum === undefined ? [] : [maximum + 1, maximum + 0.001, 1e300]),
    ...(minLength === undefined || minLength < 2 ? [] : ['x'.repeat(minLength - 1)]),
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1), '\u{1f600}'.repeat(maxLength + 1), '\ufe0f'.repeat(maxLength + 1)]),
    ...(choices ?? []).filter((choice) => typeof choice === 'string').flatMap((choice) => [`${choice}x`, choice.toUpperCase()]),
    // Any JSON: what is wrong may be anywhere within it.
    ...(anyOf && !properties
      ? [[NUL], [[HALF_A_PAIR]], { a: { [`b${NUL}`]: 1 } }, withEntry({}, '__proto__', 1), [withEntry({}, '__proto__', 1)]]
      : []),
  ];
}

function replacing(path: Path, value: unknown): Breach {
  return { what: `${path.join('.') || 'all'} is ${written(value)}`, spoil: (valid) => replaced(valid, path, () => value) };
}

function changing(path: Path, how: string, change: (at: Json) => unknown): Breach {
  return {
    what: `${path.join('.') || 'all'} ${how}`,
    spoil: (valid) => replaced(valid, path, (at) => change(structuredClone<Json>(at))),
  };
}

/** A copy in which what stands at the path is replaced. */
function replaced(whole: Json, path: Path, change: (at: Json) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(whole);
  if (typeof whole !== 'object' || whole === null || !Object.hasOwn(whole as object, key)) return whole;
  const inner = replaced(whole[key], rest, change);
  if (Array.isArray(whole)) return whole.with(Number(key), inner);
  return withEntry(whole as object, String(key), inner);
}

/** A copy with this entry, which may be called `__proto__`. */
function withEntry(object: object, key: string, value: unknown): object {
  return Object.fromEntries([...Object.entries(object).filter(([name]) => name !== key), [key, value]]);
}

function without(object: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function written(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length} characters)` : text;
}
