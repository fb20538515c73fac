import type { ErrorCode } from '../errors';

/** A rule that JSON Schema cannot express, as the documents list it in `x-beyond-schema`, with the code of its refusal. */
export interface RuleBeyondSchema {
  /**
   * `json_bytes`: how many bytes of JSON, `value_bytes`: how many bytes of UTF-8 each value of a map, `values` and `depth`: how many values and levels of nesting it may have, itself counted;
   * `body_bytes`: how many bytes a body; `installation`: a limit that is a setting; `issued`: only what an answer gave.
   */
  rule: 'json_bytes' | 'value_bytes' | 'values' | 'depth' | 'body_bytes' | 'installation' | 'issued';
  limit?: number;
  /** The setting of an installation that holds the limit. */
  setting?: string;
  code: ErrorCode;
  description: string;
}

/** A JSON Schema, in the words that OpenAPI 3.1 and AsyncAPI 3 both take. */
export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  enum?: readonly unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  default?: unknown;
  examples?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  not?: Schema;
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  minProperties?: number;
  maxProperties?: number;
  propertyNames?: Schema;
  multipleOf?: number;
  additionalProperties?: boolean | Schema;
  'x-beyond-schema'?: readonly RuleBeyondSchema[];
}
