import { type ClassConstructor, plainToInstance } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
import { invalid } from '../errors/api-error';
import { mayBeNull } from './allow-null.decorator';
import { flawsOf } from '@reprise/platform';

/**
 * What a caller sent, as an instance of the class whose rules it keeps. Unknown fields are refused, and so is text that no database can store.
 * @throws ApiError `validation_error` that names every field and what is wrong with it
 */
export function readInput<T extends object>(Class: ClassConstructor<T>, sent: unknown, what: 'body' | 'query'): T {
  const plain = sent ?? {};
  if (typeof plain !== 'object' || Array.isArray(plain)) throw invalid({ [what]: 'must be a JSON object' });
  const input = plainToInstance(Class, plain);
  const problems = { ...nulls(Class, plain), ...flawsOf(input), ...broken(input) };
  if (Object.keys(problems).length > 0) throw invalid(problems);
  return input;
}

/** class-validator takes null for "not given"; to a caller who sends it, it may mean "take it away", which most fields do not know. */
function nulls(Class: ClassConstructor<object>, plain: object): Record<string, string> {
  const wrong = Object.entries(plain).filter(([field, value]) => value === null && !mayBeNull(Class, field));
  return Object.fromEntries(wrong.map(([field]) => [field, `${field} must not be null`]));
}

function broken(input: object): Record<string, string> {
  const errors = validateSync(input, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: false });
  return Object.fromEntries(errors.flatMap((error) => sentences(error)));
}

/** One sentence a field: that it is unknown, or the first rule that it breaks as the class lists them. */
function sentences({ property, constraints = {}, children = [] }: ValidationError, path = property): [string, string][] {
  const own = Object.entries(constraints)
    .slice(-1)
    .map(([rule, message]): [string, string] => [path, rule === 'whitelistValidation' ? `${property} is not known here` : message]);
  return [...own, ...children.flatMap((child) => sentences(child, `${path}.${child.property}`))];
}
