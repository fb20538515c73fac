import { apiError } from '../errors/api-error';
import { QueryCursor, QueryInteger } from './query.decorators';

const LONGEST_CURSOR = 512;

/** Which page of a list. */
export class PageQuery {
  @QueryInteger(1, 200)
  limit = 50;

  @QueryCursor(LONGEST_CURSOR)
  cursor?: string;
}

/**
 * The page as a query message asks for it.
 * @throws ApiError `invalid_cursor` for one that no list can have given
 */
export function pageOf({ limit, cursor }: PageQuery): { limit: number; cursor?: string } {
  if (cursor === undefined) return { limit };
  if (cursor === '' || cursor.length > LONGEST_CURSOR) throw apiError('invalid_cursor');
  return { limit, cursor };
}
