import type { Schema } from './schema';

/** A text that can be stored: without NUL and without halves of surrogate pairs. By ECMA-262 with the flag u, as JSON Schema has it. */
export const STORABLE = '^[^\\u0000\\ud800-\\udfff]*$';
/** A key of a map that can be kept. An assignment to `__proto__` would set the object's prototype. */
const KEY = '^(?!__proto__$)[^\\u0000\\ud800-\\udfff]*$';

const any: Schema = { $ref: '#/components/schemas/JsonValue' };

/** A map of anything that JSON has and that can be stored. A document that uses it has {@link JSON_VALUE} among its schemas. */
export const JSON_MAP: Schema = { type: 'object', propertyNames: { pattern: KEY }, additionalProperties: any };

/** Any value of JSON that can be stored, under the name `JsonValue`. */
export const JSON_VALUE: Schema = {
  description: 'Any JSON that can be stored: no NUL character, no half of a surrogate pair, no key __proto__, no number beyond a double.',
  anyOf: [
    { type: ['null', 'boolean'] },
    { type: 'number', minimum: -Number.MAX_VALUE, maximum: Number.MAX_VALUE },
    { type: 'string', pattern: STORABLE },
    { type: 'array', items: any },
    JSON_MAP,
  ],
};
