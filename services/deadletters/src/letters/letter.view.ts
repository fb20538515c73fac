import type { DeadLetterBody, DeadLetterEventView, DeadLetterStatus, DeadLetterView, DeadLetterWhole } from '@reprise/contracts';

/** The row of a letter, without what can be large. */
export interface LetterRow {
  id: string;
  status: DeadLetterStatus;
  message_id: string | null;
  type: string | null;
  queue: string;
  org_id: string | null;
  workspace_id: string | null;
  reason: string;
  exception: string | null;
  attempts: number;
  deaths: number;
  replays: number;
  fingerprint: string;
  first_failed_at: Date;
  last_failed_at: Date;
  bytes: number;
  replay_id: string | null;
  edited_from: string | null;
  edited_to: string | null;
}

/** The whole row. */
export interface WholeLetterRow extends LetterRow {
  stack: string | null;
  sent_by: string | null;
  headers: string;
  properties: string;
  body: Buffer;
}

/** More of a body than this is not shown: it would not go through the gateway. */
const MOST_BYTES = 1_048_576;

export function viewOf({ fingerprint, first_failed_at, last_failed_at, ...row }: LetterRow): DeadLetterView {
  return {
    id: row.id,
    status: row.status,
    message_id: row.message_id,
    type: row.type,
    queue: row.queue,
    org_id: row.org_id,
    workspace_id: row.workspace_id,
    reason: row.reason,
    exception: row.exception,
    attempts: row.attempts,
    deaths: row.deaths,
    replays: row.replays,
    group: fingerprint,
    first_failed_at: first_failed_at.toISOString(),
    last_failed_at: last_failed_at.toISOString(),
    bytes: row.bytes,
    replay_id: row.replay_id,
    edited_from: row.edited_from,
    edited_to: row.edited_to,
  };
}

export function wholeOf(row: WholeLetterRow, history: DeadLetterEventView[]): DeadLetterWhole {
  return {
    ...viewOf(row),
    sender: row.sent_by,
    stack: row.stack,
    headers: JSON.parse(row.headers) as Record<string, unknown>,
    properties: JSON.parse(row.properties) as Record<string, unknown>,
    body: bodyOf(row.body),
    history,
  };
}

function bodyOf(body: Buffer): DeadLetterBody {
  const shown = body.subarray(0, MOST_BYTES);
  const truncated = body.length > MOST_BYTES;
  const text = shown.toString();
  // A cut through a character is no reason to show the whole as base64.
  const isText = truncated ? !text.slice(0, -1).includes('\uFFFD') : Buffer.from(text).equals(shown);
  return isText ? { encoding: 'utf8', content: text, truncated } : { encoding: 'base64', content: shown.toString('base64'), truncated };
}
