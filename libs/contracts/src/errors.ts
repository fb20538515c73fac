/** The closed enum of error codes, each with its HTTP status and a sentence that a person can act on. One list for every layer. */
export const ERROR_CODES = {
  validation_error: [400, 'The request is not valid; details.fields says which fields and why.'],
  invalid_cursor: [400, 'The cursor is not one that this list gave; start again without it.'],
  unauthenticated: [401, 'A valid bearer token is needed.'],
  permission_denied: [403, 'The token does not allow this; details.required names the scopes of which any one would do.'],
  workspace_not_visible: [403, 'The token reads only workspaces that its caller created, and this is not one of them.'],
  tenant_unknown: [403, 'The organization is not known to billing.'],
  editing_disabled: [403, 'Editing dead letters is switched off here; replay or discard it, or ask whoever runs this installation.'],
  workspace_not_found: [404, 'There is no such workspace.'],
  operation_not_found: [404, 'There is no such operation.'],
  task_not_found: [404, 'There is no such task.'],
  role_not_found: [404, 'There is no such role.'],
  provider_not_found: [404, 'There is no such provider.'],
  pack_not_found: [404, 'There is no such pack.'],
  dead_letter_not_found: [404, 'There is no such dead letter.'],
  replay_not_found: [404, 'There is no such replay.'],
  route_not_found: [404, 'There is no such route.'],
  workspace_archived: [409, 'The workspace is archived; unarchive it first.'],
  invalid_state: [409, 'The workspace is in a state that does not allow this; details.status says which, details.allowed what it allows.'],
  workspace_busy: [409, 'The workspace is running a task; wait for it, cancel it, or use force where the command has it.'],
  role_archived: [409, 'The role of the workspace is archived; unarchive it first.'],
  provider_archived: [409, 'The provider of the role is archived; unarchive it first.'],
  not_archived: [409, 'It is not archived.'],
  workspaces_active: [409, 'Workspaces of it still run; stop them first. details.workspaces says how many.'],
  name_taken: [409, 'The organization already has one of this name.'],
  dead_letter_settled: [409, 'The dead letter does not wait for a decision; details.status says what became of it.'],
  replay_ended: [409, 'The replay has ended.'],
  idempotency_in_progress: [409, 'A request with this idempotency key is still being answered; repeat it in a moment.'],
  payload_too_large: [413, 'The body is larger than this route takes: 1 MiB, where its description does not say more.'],
  unsupported_media_type: [415, 'The body must be application/json.'],
  idempotency_key_reused: [422, 'This idempotency key was used with a different request; use a new key.'],
  billing_inactive: [
    423,
    'The billing of the organization is not in order; details.posture says what it is. Winding down is still possible.',
  ],
  rate_limited: [429, 'Too many requests; wait as long as Retry-After says.'],
  internal_error: [500, 'Something went wrong on our side; the request id finds it in the logs.'],
  unavailable: [503, 'A part of the service cannot be reached right now; repeat the request.'],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The HTTP status of a code. */
export function httpStatusOf(code: ErrorCode): number {
  return ERROR_CODES[code][0];
}

/** The sentence that goes with a code where nothing more exact is known. */
export function messageOf(code: ErrorCode): string {
  return ERROR_CODES[code][1];
}

/** Whether the value is one of the closed enum. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/**
 * Whether a refusal is about who asks (401, 403, 429), and not about what is asked: it comes before any remembered answer, and is never remembered, since
 * a better token makes the same request another matter.
 */
export function isAboutCaller(code: unknown): boolean {
  return isErrorCode(code) && [401, 403, 429].includes(httpStatusOf(code));
}

/** A refusal as it travels: in a reply, in a `reprise.command.refused.v1` event, in the body of an HTTP answer. */
export interface RefusalBody {
  code: ErrorCode;
  message: string;
  details?: Record<string, unknown>;
}

/** A refusal with the code's own sentence. */
export function refusal(code: ErrorCode, details?: Record<string, unknown>, message: string = messageOf(code)): RefusalBody {
  return details ? { code, message, details } : { code, message };
}
