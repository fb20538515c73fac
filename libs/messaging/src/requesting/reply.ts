import type { Refusal } from '../consuming/outcome';

/** The body of a reply, as JSON. `failed` tells that there will be no answer to this message, and never that nothing happened. */
export type ReplyBody =
  { status: 'done'; value?: unknown } | { status: 'refused'; refusal: Refusal } | { status: 'failed'; reason: string; message: string };

/** The type property of a reply. */
export const REPLY_TYPE = 'reply';

/** The reply in a message's body, or undefined where it is something else. */
export function parseReply(body: Buffer): ReplyBody | undefined {
  try {
    const reply = JSON.parse(body.toString()) as Partial<ReplyBody> | null;
    return reply?.status === 'done' || reply?.status === 'refused' || reply?.status === 'failed' ? (reply as ReplyBody) : undefined;
  } catch {
    return undefined;
  }
}
