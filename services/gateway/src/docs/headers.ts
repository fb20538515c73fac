const integer = (description: string, minimum: number): object => ({ description, schema: { type: 'integer', minimum } });
const text = (description: string, schema: object = {}): object => ({ description, schema: { type: 'string', ...schema } });
const ABSENT = 'Absent where there is no limit, and where the answer comes before the caller is known.';

/** The headers of answers, by the name that they have among the components. */
export const HEADERS = {
  RequestId: text('The id of the request: its own `X-Request-Id` where that is 1 to 128 letters, digits and `._:-`, else a new one.', {
    pattern: '^[A-Za-z0-9_.:-]{1,128}$',
  }),
  CacheControl: text('Answers must not be stored by caches.', { const: 'no-store' }),
  RateLimit: integer(`How many requests the caller may send in a minute. ${ABSENT}`, 1),
  RateRemaining: integer(`How many of them are left. ${ABSENT}`, 0),
  Challenge: text('What is wrong with the token (RFC 6750).', { pattern: '^Bearer ' }),
  RetryAfter: integer('After how many seconds to repeat the request.', 1),
};

const EVERY_ANSWER = {
  'X-Request-Id': 'RequestId',
  'Cache-Control': 'CacheControl',
  'X-RateLimit-Limit': 'RateLimit',
  'X-RateLimit-Remaining': 'RateRemaining',
} as const satisfies Record<string, keyof typeof HEADERS>;

const BY_STATUS: Readonly<Record<number, Readonly<Record<string, keyof typeof HEADERS>>>> = {
  401: { 'WWW-Authenticate': 'Challenge' },
  429: { 'Retry-After': 'RetryAfter' },
  503: { 'Retry-After': 'RetryAfter' },
};

/** The headers of an answer with this status. */
export function headersOf(status: number): Record<string, object> {
  const names = { ...EVERY_ANSWER, ...BY_STATUS[status] };
  return Object.fromEntries(Object.entries(names).map(([header, name]) => [header, { $ref: `#/components/headers/${name}` }]));
}
