import { type BadMessage, CREATE, HANDLED, INVALID, POSTURE, RESTART, RESUME, STOP, SUBMIT, UNPARSEABLE } from './bad-message';

/** Well-formed messages that ask for what cannot be. */
export const MEANINGS: readonly BadMessage[] = [
  { name: "another tenant's workspace", type: RESTART, body: ({ foreign }) => ({ workspace_id: foreign, force: true }), end: HANDLED },
  { name: 'a workspace that does not exist', type: RESTART, body: ({ missing }) => ({ workspace_id: missing }), end: HANDLED },
  {
    name: 'a task for a workspace that does not exist',
    type: SUBMIT,
    body: ({ missing }) => ({ workspace_id: missing, description: 'x' }),
    end: HANDLED,
  },
  {
    name: 'a tenant that billing does not know',
    type: RESTART,
    body: ({ workspace }) => ({ workspace_id: workspace }),
    headers: { cloudEvents_orgid: 'nobody' },
    end: { refused: 'tenant_unknown' },
  },
  {
    name: 'a resume of what is not stopped',
    type: RESUME,
    body: ({ workspace }) => ({ workspace_id: workspace }),
    end: { refused: 'invalid_state' },
  },
  {
    name: 'an archive of what is not stopped',
    type: 'reprise.workspace.archive.v1',
    body: ({ workspace }) => ({ workspace_id: workspace }),
    end: { refused: 'invalid_state' },
  },
  {
    name: 'a cancel where nothing runs',
    type: 'reprise.task.cancel.v1',
    body: ({ workspace }) => ({ workspace_id: workspace }),
    end: { refused: 'invalid_state' },
  },
  { name: 'a role that does not exist', type: CREATE, body: () => ({ role_name: 'nobody' }), end: { refused: 'role_not_found' } },
  {
    name: 'a caller in the name of the gateway',
    type: STOP,
    body: ({ workspace }) => ({ workspace_id: workspace, caller: { sub: 'alice', own_only: false } }),
    end: { refused: 'validation_error' },
  },
  {
    name: 'an idempotency key in the name of the gateway',
    type: STOP,
    body: ({ workspace }) => ({ workspace_id: workspace, idempotency: { key: 'k', request_hash: 'a'.repeat(64) } }),
    end: { refused: 'validation_error' },
  },
];

/** To billing. */
export const POSTURES: readonly BadMessage[] = [
  { name: 'no JSON to billing', type: POSTURE, body: Buffer.from('past_due'), end: UNPARSEABLE },
  { name: 'a posture that there is not', type: POSTURE, body: ({ org }) => ({ org_id: org, posture: 'broke' }), end: INVALID },
  { name: 'a posture in a list', type: POSTURE, body: ({ org }) => ({ org_id: org, posture: ['past_due'] }), end: INVALID },
  { name: 'a trial without an end', type: POSTURE, body: ({ org }) => ({ org_id: org, posture: 'trial' }), end: INVALID },
  {
    name: 'a trial until a week',
    type: POSTURE,
    body: ({ org }) => ({ org_id: org, posture: 'trial', trial_ends_at: '2026-W05' }),
    end: INVALID,
  },
  {
    name: 'a trial until the year nought',
    type: POSTURE,
    body: ({ org }) => ({ org_id: org, posture: 'trial', trial_ends_at: '0000-01-01T00:00:00Z' }),
    end: INVALID,
  },
  {
    name: 'an end without a trial',
    type: POSTURE,
    body: ({ org }) => ({ org_id: org, posture: 'past_due', trial_ends_at: '2030-01-01T00:00:00Z' }),
    end: { refused: 'validation_error' },
  },
  { name: 'a tenant with a path in its name', type: POSTURE, body: () => ({ org_id: '../acme', posture: 'active' }), end: INVALID },
  {
    name: 'a posture from nobody',
    type: POSTURE,
    body: ({ org }) => ({ org_id: org, posture: 'past_due' }),
    properties: { userId: undefined },
    end: { refused: 'unauthenticated' },
  },
];
