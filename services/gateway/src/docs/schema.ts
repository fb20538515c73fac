import type { Schema } from '@reprise/contracts';

export type { Schema } from '@reprise/contracts';

export const text = (description: string, more: Schema = {}): Schema => ({ type: 'string', description, ...more });
export const integer = (description: string, more: Schema = {}): Schema => ({ type: 'integer', description, ...more });
export const time = (description: string): Schema => text(description, { format: 'date-time' });
export const choice = (values: readonly string[], description: string): Schema => text(description, { enum: values });
export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** The value or null. */
export function orNull(schema: Schema): Schema {
  return typeof schema.type === 'string' ? { ...schema, type: [schema.type, 'null'] } : { anyOf: [schema, { type: 'null' }] };
}

/** An object that always has these fields, and perhaps the optional ones. */
export function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = [], description?: string): Schema {
  return {
    type: 'object',
    ...(description === undefined ? {} : { description }),
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  };
}
