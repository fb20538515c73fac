import { type ErrorCode, httpStatusOf } from '@reprise/contracts';
import type { Answer } from './http';

/**
 * That an answer is exactly the error body of this code, with its status, and the request id in the header as well.
 * @param details what the details hold at least; without it there may be any or none
 */
export function expectRefusal(answer: Answer, code: ErrorCode, details?: object): void {
  const { request_id: requestId } = (answer.body as { error?: { request_id?: string } }).error ?? {};
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: httpStatusOf(code),
    body: {
      error: {
        code,
        message: expect.stringMatching(/^\S.*\S$/s),
        request_id: expect.stringMatching(/^[\w.:-]{1,128}$/),
        ...(details
          ? { details: expect.objectContaining(details) }
          : 'details' in (answer.body?.error ?? {})
            ? { details: expect.any(Object) }
            : {}),
      },
    },
  });
  expect(answer.headers.get('x-request-id')).toBe(requestId);
  expect(answer.headers.get('content-type')).toContain('application/json');
  if (code === 'unavailable' || code === 'rate_limited') expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  if (code === 'unauthenticated') expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
}
