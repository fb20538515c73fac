import { underSpan } from '../context/context';
import { errorType } from './attributes';
import { openSpan, type OpenSpan, type SpanOptions } from './open-span';

/**
 * Runs the work within a span, which ends when the work does, and fails when the work throws. What the work sends and logs carries the span's ids.
 * Where nothing is traced it is the call of the work and nothing more.
 */
export function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const span = openSpan(name, options);
  return span === undefined ? work() : underSpan(span, () => ended(span, options, work));
}

async function ended<T>(span: OpenSpan, { isFailure = () => true }: SpanOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFailure(error)) span.fail(errorType(error));
    else span.set({ 'error.type': errorType(error) });
    throw error;
  } finally {
    span.end();
  }
}
