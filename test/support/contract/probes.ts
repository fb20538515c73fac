import type { RuleBeyondSchema, Schema } from '@reprise/contracts';
import { INPUTS, type Operation } from './api';
import type { Request } from './requests';

/** A rule that JSON Schema cannot express, with a request that is just within it, where there can be one, and one that is just beyond it. */
export interface Probe {
  what: string;
  rule: RuleBeyondSchema;
  within?: (valid: Request) => Request;
  beyond: (valid: Request) => Request;
}

/** Text that replaces the JSON of the body. */
export const RAW = Symbol('the body as it is sent');

/** Every rule that the document lists for an operation in `x-beyond-schema`, except those that are settings. */
export function probesOf({ body, parameters }: Operation): Probe[] {
  const inQuery = parameters.flatMap(({ name, schema }) =>
    (schema['x-beyond-schema'] ?? []).map((rule) => ({
      what: `${name}: ${rule.description}`,
      rule,
      beyond: (valid: Request) => ({ ...valid, query: [[name, 'made-up'] as [string, string]] }),
    })),
  );
  if (!body) return inQuery;
  return [...inQuery, ...body.beyond.map(ofBody), ...ofFields(body.schema, [])].filter(({ rule }) => rule.rule !== 'installation');
}

/** The rules of a schema's fields that are settings of an installation, with the path of each field. */
export function settingsOf({ body }: Operation): { path: string[]; rule: RuleBeyondSchema }[] {
  const found: { path: string[]; rule: RuleBeyondSchema }[] = [];
  if (body) visit(body.schema, [], (path, _, rule) => rule.rule === 'installation' && found.push({ path, rule }));
  return found;
}

function ofBody(rule: RuleBeyondSchema): Probe {
  const { limit = 0, description } = rule;
  const what = `body: ${description}`;
  const raw = (text: (valid: Request) => string) => (valid: Request) => ({ ...valid, body: { [RAW]: text(valid) } });
  if (rule.rule === 'body_bytes') {
    const ofLength = (bytes: number) => raw(({ body }) => padded(JSON.stringify(body), bytes));
    return { what, rule, within: ofLength(limit), beyond: ofLength(limit + 1) };
  }
  // No body that its schema allows is so deep or has so many values, so that it does not matter what else is wrong with it.
  const excess = rule.rule === 'depth' ? `${'['.repeat(limit)}${']'.repeat(limit)}` : JSON.stringify(Array(limit).fill(0));
  return { what, rule, beyond: raw(() => `{"surprise":${excess}}`) };
}

/** With spaces behind it, of so many bytes. */
function padded(text: string, bytes: number): string {
  return text + ' '.repeat(bytes - Buffer.byteLength(text));
}

function ofFields(schema: Schema, path: string[]): Probe[] {
  const probes: Probe[] = [];
  visit(schema, path, (at, field, rule) => {
    const { limit = 0 } = rule;
    const setTo = (size: number) => (valid: Request) => ({
      ...valid,
      body: withValue(valid.body as object, at, ofSize(rule.rule, field, size)),
    });
    if (rule.rule !== 'installation')
      probes.push({ what: `${at.join('.')}: ${rule.description}`, rule, within: setTo(limit), beyond: setTo(limit + 1) });
  });
  return probes;
}

function visit(schema: Schema, path: string[], tell: (path: string[], field: Schema, rule: RuleBeyondSchema) => void): void {
  const { properties = {} } = INPUTS.resolve(schema);
  for (const [name, inner] of Object.entries(properties)) {
    for (const rule of inner['x-beyond-schema'] ?? []) tell([...path, name], inner, rule);
    visit(inner, [...path, name], tell);
  }
}

/** A value of so many values, levels or bytes. */
function ofSize(rule: RuleBeyondSchema['rule'], schema: Schema, size: number): unknown {
  if (rule === 'value_bytes') return { K: '\u{1f600}'.repeat(Math.floor(size / 4)) + 'x'.repeat(size % 4) };
  if (rule === 'values') return { a: Array<number>(size - 2).fill(0) };
  if (rule === 'depth') return Array.from({ length: size - 1 }).reduce<object>((inner) => ({ a: inner }), {});
  return schema.type === 'array' ? list(schema, size) : map(schema, size);
}

const BRACKETS = 1;

/** Texts that JSON writes, as a list, in so many bytes. */
function list({ items = {} }: Schema, bytes: number): string[] {
  return texts(bytes - BRACKETS, items.maxLength, '"",'.length);
}

function map({ additionalProperties }: Schema, bytes: number): object {
  const { maxLength } = additionalProperties as Schema;
  const values = texts(bytes - BRACKETS, maxLength, '"K00":"",'.length);
  return Object.fromEntries(values.map((value, index) => [`K${String(index).padStart(2, '0')}`, value]));
}

/** So few texts as there can be, each with `around` bytes around it, of so many bytes in all. */
function texts(bytes: number, longest = bytes, around: number): string[] {
  const count = Math.ceil(bytes / (longest + around));
  const letters = bytes - count * around;
  return Array.from({ length: count }, (_, index) => 'x'.repeat(Math.floor((letters + index) / count)));
}

/** A copy of the body with this value. */
export function withValue(body: object, [name = '', ...rest]: readonly string[], value: unknown): object {
  const inner = (body as Record<string, object>)[name] ?? {};
  return { ...body, [name]: rest.length === 0 ? value : withValue(inner, rest, value) };
}
