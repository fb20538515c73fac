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
  properties?: Readonly<Record<string, Schema>>;
  required?: readonly string[];
  maxProperties?: number;
  propertyNames?: Schema;
  multipleOf?: number;
  additionalProperties?: boolean | Schema;
}
