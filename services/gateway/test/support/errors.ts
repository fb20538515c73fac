import type { Answered } from './gateway';

/** What holds of every error, wherever it comes from. */
export function expectError({ status, headers, body }: Answered, expected: number, code: string): Record<string, unknown> {
  expect([status, body.error?.code]).toEqual([expected, code]);
  expect(Object.keys(body)).toEqual(['error']);
  expect(headers.get('content-type')).toContain('application/json');
  expect(body.error.message).toMatch(/\S/);
  expect(body.error.request_id).toBe(headers.get('x-request-id'));
  return body.error.details ?? {};
}
