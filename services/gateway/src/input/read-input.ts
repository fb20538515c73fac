import { readData } from '@reprise/platform';
import type { ClassConstructor } from 'class-transformer';
import { invalid } from '../errors/api-error';
import { mayBeNull } from './allow-null.decorator';

/**
 * What a caller sent, as an instance of the class whose rules it keeps. Unknown fields are refused, and so is text that no database can store.
 * @throws ApiError `validation_error` that names the fields and what is wrong with each, up to 20 of them
 */
export function readInput<T extends object>(Class: ClassConstructor<T>, sent: unknown, what: 'body' | 'query'): T {
  const plain = sent === undefined ? {} : sent;
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) throw invalid({ [what]: 'must be a JSON object' });
  // To a caller who sends null, it may mean "take it away", which most fields do not know.
  const read = readData(Class, plain, { unknown: 'refused', mayBeNull: (field, Of) => mayBeNull(Of, field) });
  if ('findings' in read) throw invalid(read.findings.toFields());
  return read.data;
}
