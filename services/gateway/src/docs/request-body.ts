import { DEEPEST, MOST_VALUES } from '@reprise/platform';
import type { RuleBeyondSchema } from '@reprise/contracts';
import { BODY_LIMIT } from '../http/json-body';
import { Nothing } from '../input/inputs-of';
import type { DocumentedRoute } from './routes';
import { ref } from './schema';
import { schemaOf } from './schema-of-rules';

/** The body that a route takes, and whether it can do without one. */
export function requestBodyOf({ body, access }: DocumentedRoute): object {
  const { required, anyOf } = schemaOf(body);
  const needed = required !== undefined || anyOf !== undefined;
  const description = body === Nothing ? 'No body is needed; an empty object is one.' : undefined;
  return {
    ...(description ? { description } : needed ? {} : { description: 'No body is an empty object.' }),
    required: needed,
    content: { 'application/json': { schema: ref(body.name) } },
    'x-beyond-schema': rules(access.bodyLimit ?? BODY_LIMIT),
  };
}

function rules(bytes: number): RuleBeyondSchema[] {
  return [
    { rule: 'body_bytes', limit: bytes, code: 'payload_too_large', description: `At most ${bytes} bytes.` },
    { rule: 'depth', limit: DEEPEST, code: 'validation_error', description: `Nested at most ${DEEPEST} levels deep.` },
    {
      rule: 'values',
      limit: MOST_VALUES,
      code: 'validation_error',
      description: `At most ${MOST_VALUES} values, counting each element and each field.`,
    },
  ];
}
