import fc, { type Arbitrary } from 'fast-check';
import type { Schema } from '@reprise/contracts';
import type { Json } from '../json';
import { INPUTS, type Operation, type Parameter } from './api';
import { breachesOf } from './breaches';
import { keepsRulesBeyond } from './schemas';
import { type Shape, validValues } from './valid-values';

/** A request that is not sent yet. */
export interface Request {
  path: Record<string, string>;
  /** Name and text; a name may come more than once. */
  query: [string, string][];
  headers: Record<string, string>;
  /** Undefined for no body at all. */
  body: unknown;
}

/** Things that exist, by the name of the parameter or field that may name one; so that requests get beyond 404. */
export interface Known {
  path: Readonly<Record<string, string>>;
  body: Readonly<Record<string, string>>;
}

/** Requests that the document allows. */
export function validRequests(operation: Operation, known: Known, shape: Shape = {}): Arbitrary<Request> {
  const of = (place: Parameter['in']): Parameter[] => operation.parameters.filter((parameter) => parameter.in === place);
  return fc.record({
    path: fc.record(Object.fromEntries(of('path').map((parameter) => [parameter.name, segments(parameter, known)]))),
    query: fc
      .record(Object.fromEntries(of('query').map(({ name, schema }) => [name, parameterTexts(schema)])), {
        requiredKeys: shape.full ? of('query').map(({ name }) => name) : [],
      })
      .map((query) => Object.entries<string>(query)),
    headers: fc.record(Object.fromEntries(of('header').map(({ name, schema }) => [name, wellFormed(schema)])), {
      requiredKeys: shape.full ? of('header').map(({ name }) => name) : [],
    }),
    body: bodies(operation, known, shape),
  });
}

function bodies({ body }: Operation, known: Known, shape: Shape): Arbitrary<unknown> {
  if (!body) return fc.constant(undefined);
  const kept = (value: unknown): boolean =>
    keepsRulesBeyond(INPUTS, body.schema, value) && keepsRulesBeyond(INPUTS, { 'x-beyond-schema': body.beyond }, value);
  const objects = validValues(INPUTS, body.schema, shape).filter(kept);
  const naming = fc
    .tuple(objects, fc.boolean())
    .map(([object, exists]) => (exists || shape.full ? named(object as object, known.body) : object));
  return body.required || shape.full ? naming : fc.oneof(fc.constant(undefined), naming);
}

/** With things that exist in the place of names that were made up. */
function named(object: object, known: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(object).map(([field, value]) => [field, typeof value === 'string' && known[field] !== undefined ? known[field] : value]),
  );
}

/** A segment of a path: what exists, or anything. A client resolves `.` and `..` before it sends (RFC 3986, 5.2.4). */
function segments({ name, schema }: Parameter, known: Known): Arbitrary<string> {
  const anything = wellFormed(schema).filter((text) => text !== '.' && text !== '..');
  const existing = known.path[name];
  return existing === undefined ? anything : fc.oneof(fc.constant(existing), anything);
}

function parameterTexts(schema: Schema): Arbitrary<string> {
  return validValues(INPUTS, schema)
    .map(String)
    .filter((text) => text.isWellFormed());
}

/** Halves of surrogate pairs have no percent-encoding. */
function wellFormed(schema: Schema): Arbitrary<string> {
  return (validValues(INPUTS, schema) as Arbitrary<string>).filter((text) => text.isWellFormed());
}

/** A request in which one thing is not as the document says, and the code that it must be refused with. */
export interface BadRequest {
  what: string;
  code: string;
  of: (valid: Request) => Request;
  /** Whether it is indeed forbidden, where that takes a look at the request. */
  isForbidden: (bad: Request) => boolean;
}

/** Every way to break what the document says of an operation's input by one thing. */
export function badRequests(operation: Operation): BadRequest[] {
  const { parameters, body } = operation;
  return [
    ...(body ? ofBody(body) : []),
    ...parameters.flatMap(ofParameter),
    bad('an unknown parameter', (valid) => ({ ...valid, query: [...valid.query, ['surprise', '1']] })),
  ];
}

function ofBody({ schema, required, beyond }: NonNullable<Operation['body']>): BadRequest[] {
  return [
    ...(required ? [bad('no body', (valid) => ({ ...valid, body: undefined }))] : []),
    ...breachesOf(INPUTS, schema).map(({ what, spoil }) => ({
      ...bad(`body: ${what}`, (valid) => ({ ...valid, body: spoil((valid.body ?? {}) as Json) })),
      isForbidden: ({ body }: Request) => !INPUTS.allows(schema, body) && keepsRulesBeyond(INPUTS, { 'x-beyond-schema': beyond }, body),
    })),
  ];
}

function ofParameter({ in: place, name, schema }: Parameter): BadRequest[] {
  if (place === 'path')
    return [{ ...bad(`${name} is empty`, (valid) => ({ ...valid, path: { ...valid.path, [name]: '' } })), code: 'route_not_found' }];
  if (place === 'header') {
    return ['', 'x'.repeat(256), 'caf\u00e9', 'a\tb'].map((text) =>
      bad(`${name} is ${JSON.stringify(text.slice(0, 20))}`, (valid) => ({ ...valid, headers: { ...valid.headers, [name]: text } })),
    );
  }
  const others = ({ query }: Request): [string, string][] => query.filter(([each]) => each !== name);
  return [
    bad(`${name} is given twice`, (valid) => {
      const [, text = ''] = valid.query.find(([each]) => each === name) ?? [];
      return { ...valid, query: [...others(valid), [name, text], [name, text]] };
    }),
    ...oddTexts(schema).map((text) =>
      bad(`${name} is ${JSON.stringify(text.slice(0, 40))}`, (valid) => ({ ...valid, query: [...others(valid), [name, text]] })),
    ),
  ];
}

/** Texts that are not the schema's, as a query writes values. */
function oddTexts(schema: Schema): string[] {
  const { minimum = 0, maximum = 0, maxLength = 0, enum: choices = [] } = schema;
  const candidates = ['', '\0', 'maybe', '1.5', '-', 'TRUE', String(minimum - 1), String(maximum + 1), 'x'.repeat(maxLength + 1)];
  return [...new Set([...candidates, ...choices.map((choice) => `${String(choice)}x`)])].filter((text) => !isWritten(schema, text));
}

function isWritten(schema: Schema, text: string): boolean {
  if (schema.type === 'boolean') return text === 'true' || text === 'false';
  if (schema.type === 'integer') return /^-?\d+$/.test(text) && INPUTS.allows(schema, Number(text));
  return INPUTS.allows(schema, text);
}

function bad(what: string, of: BadRequest['of']): BadRequest {
  return { what, code: 'validation_error', of, isForbidden: () => true };
}
