import { refusal, type RefusalBody } from './errors';

/**
 * Who asked, where an internal service did: `service:<its broker user>`, which the broker has checked, and behind a slash on whose behalf it says
 * that it asks. The prefix keeps such a claim apart from the subjects of tokens: no service is ever taken for a user of REST.
 */
export function serviceRequester(brokerUser: string, actor?: string): string {
  return `service:${brokerUser}${actor === undefined ? '' : `/${actor}`}`;
}

/** The refusal of a command whose sender the broker has not checked. */
export const SENDER_UNKNOWN: RefusalBody = refusal(
  'unauthenticated',
  undefined,
  'The message has no user-id: set it to your broker user, which the broker then checks.',
);
