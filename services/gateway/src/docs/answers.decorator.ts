import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import type { ErrorCode } from '@reprise/contracts';
import type { SchemaName } from './schemas';

/** What the API description says of a route beyond what its other decorators do. */
export interface Answer {
  /** The status of success. */
  status: number;
  summary: string;
  description?: string;
  /** The schema of the body of success. */
  body: SchemaName;
  /** The refusals that are the route's own; those of its scope, its billing, its inputs and its key are added. */
  refusals: readonly ErrorCode[];
}

const ANSWER = 'reprise:answer';

/** Sets the status of success and documents the route. */
export function Answers(status: number, body: SchemaName, rest: Omit<Answer, 'status' | 'body'>): MethodDecorator {
  return applyDecorators(HttpCode(status), SetMetadata(ANSWER, { status, body, ...rest } satisfies Answer));
}

/** What {@link Answers} says of a handler; undefined for a route that is not part of the public API. */
export function answerOf(handler: object): Answer | undefined {
  return Reflect.getMetadata(ANSWER, handler) as Answer | undefined;
}
