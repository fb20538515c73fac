import { type ErrorCode, httpStatusOf, messageOf } from '@reprise/contracts';
import { PageQuery } from '../input/page.query';
import { headersOf } from './headers';
import type { DocumentedRoute } from './routes';
import { ref } from './schema';

const EVERY_ROUTE: readonly ErrorCode[] = ['unauthenticated', 'validation_error', 'rate_limited', 'internal_error', 'unavailable'];
const WITH_A_BODY: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];
const WITH_A_KEY: readonly ErrorCode[] = ['idempotency_in_progress', 'idempotency_key_reused'];
const THAT_ADDS: readonly ErrorCode[] = ['billing_inactive', 'tenant_unknown'];

/** Every code that a route may refuse with. */
export function refusalsOf({ method, access, answer, query }: DocumentedRoute): ErrorCode[] {
  const codes = new Set<ErrorCode>([...EVERY_ROUTE, ...answer.refusals]);
  const add = (more: readonly ErrorCode[]): void => more.forEach((code) => codes.add(code));
  if (method !== 'get') add([...WITH_A_BODY, ...WITH_A_KEY]);
  if (access.scope !== null) add(['permission_denied']);
  if (access.scope === 'workspace:read' && !answer.refusals.every((code) => code === 'role_not_found')) add(['workspace_not_visible']);
  if (access.adds) add(THAT_ADDS);
  if (query === PageQuery || query.prototype instanceof PageQuery) add(['invalid_cursor']);
  return [...codes];
}

/** Their answers, one for each status, with an example for each code. */
export function refusalResponses(codes: readonly ErrorCode[]): Record<string, object> {
  const statuses = [...new Set(codes.map(httpStatusOf))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const own = codes.filter((code) => httpStatusOf(code) === status);
      return [
        String(status),
        { description: own.map((code) => `\`${code}\``).join(', '), headers: headersOf(status), content: contentOf(own) },
      ];
    }),
  );
}

function contentOf(codes: readonly ErrorCode[]): object {
  const examples = codes.map((code) => [
    code,
    { value: { error: { code, message: messageOf(code), request_id: '7f3a9c2e', ...detailsOf(code) } } },
  ]);
  return { 'application/json': { schema: ref('Error'), examples: Object.fromEntries(examples) as object } };
}

/** What `details` holds where the contract says that it holds something. */
const DETAILS: Partial<Record<ErrorCode, object>> = {
  validation_error: { fields: { force: 'force must be true or false' } },
  permission_denied: { required: ['workspace:write', 'workspace:write:own'] },
  invalid_state: { status: 'provisioning' },
  workspace_busy: { task_id: 'task_01k9zv6m3se4ht8v5y2q7n0xae' },
  dead_letter_settled: { status: 'discarded' },
  replay_ended: { status: 'done' },
  billing_inactive: { posture: 'past_due' },
};

function detailsOf(code: ErrorCode): object {
  const details = DETAILS[code];
  return details ? { details } : {};
}
