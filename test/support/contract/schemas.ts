import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import type { RuleBeyondSchema, Schema } from '@reprise/contracts';
import type { Json } from '../json';

/** The largest power of ten that a `multipleOf` here has, so that 0.07 is a multiple of 0.001 although doubles say otherwise. */
const DECIMALS = 9;

/** The schemas of one document, OpenAPI or AsyncAPI: what a reference means, and whether a value is valid. */
export class Schemas {
  private readonly ajv: Ajv2020;
  private readonly compiled = new Map<Schema, ValidateFunction>();

  constructor(private readonly document: { components: { schemas: Record<string, Schema> } }) {
    this.ajv = addFormats(new Ajv2020({ strict: false, multipleOfPrecision: DECIMALS }));
    this.ajv.addSchema({ $id: 'document', ...document });
  }

  /** The schema itself, where it is a reference. */
  resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    const found = schema.$ref
      .slice(2)
      .split('/')
      .reduce<Json>((at: Json, part) => at?.[part], this.document);
    if (!found) throw new Error(`${schema.$ref} is not in the document`);
    return this.resolve(found as Schema);
  }

  /** What is wrong with the value; null where nothing is. */
  problem(schema: Schema, value: unknown): string | null {
    let validate = this.compiled.get(schema);
    if (!validate) {
      validate = this.ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#', '"$ref":"document#')) as object);
      this.compiled.set(schema, validate);
    }
    return validate(value) ? null : this.ajv.errorsText(validate.errors);
  }

  allows(schema: Schema, value: unknown): boolean {
    return this.problem(schema, value) === null;
  }
}

/** A document in which an object has no fields but those that its schema names: for answers, of which nothing is undocumented. */
export function closed<T>(part: T): T {
  if (Array.isArray(part)) return part.map(closed) as T;
  if (typeof part !== 'object' || part === null) return part;
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value) as unknown]));
  const isOpen = copy.type === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return (isOpen ? { ...copy, additionalProperties: false } : copy) as T;
}

/** Whether a value keeps what `x-beyond-schema` asks of it and of its fields. `installation` and `issued` are for the test's set-up. */
export function keepsRulesBeyond(schemas: Schemas, schema: Schema, value: unknown): boolean {
  const { properties = {}, 'x-beyond-schema': rules = [] } = schemas.resolve(schema);
  const own = rules.every((rule) => keeps(rule, value));
  if (typeof value !== 'object' || value === null) return own;
  return own && Object.entries(properties).every(([field, inner]) => keepsRulesBeyond(schemas, inner, (value as Json)[field]));
}

function keeps({ rule, limit = Infinity }: RuleBeyondSchema, value: unknown): boolean {
  if (value === undefined) return true;
  if (rule === 'json_bytes' || rule === 'body_bytes') return Buffer.byteLength(JSON.stringify(value)) <= limit;
  if (rule === 'value_bytes')
    return Object.values(value as object).every((each) => each === null || Buffer.byteLength(each as string) <= limit);
  if (rule === 'values') return valuesOf(value) <= limit;
  if (rule === 'depth') return depthOf(value) <= limit;
  return true;
}

function valuesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + valuesOf(each), 1);
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
