import { isName, isOrgId } from '@reprise/contracts';
import { DeadLetter, type MessageContext } from '@reprise/messaging';
import { Command, Common, Fact } from './command';
import { requestedBy, senderOf, senderRefusal } from './sender.rules';

/**
 * The tenant that a message is for.
 * @throws DeadLetter `invalid` where it names none
 */
export function orgOf({ orgId }: MessageContext): string {
  if (!isOrgId(orgId)) {
    throw new DeadLetter(
      'invalid',
      'The header cloudEvents_orgid must name the tenant: 1 to 128 letters, digits, dots, hyphens or underscores',
    );
  }
  return orgId;
}

/**
 * The command of a message. What only the gateway may say is left out where another says it, so that no rule can take it for true.
 * @param gatewayUser the broker user that speaks for callers of REST, whose commands have had their posture checked
 * @throws DeadLetter `invalid` where the message names no tenant, or an actor that cannot be written down
 */
export function commandOf<T extends Common>(data: T, context: MessageContext, gatewayUser: string): Command<T> {
  const sender = senderOf(data, context, gatewayUser);
  if (context.actor !== undefined && !isName(context.actor)) {
    throw new DeadLetter('invalid', 'The header cloudEvents_actor must be a name: 1 to 255 characters, none of them a control character');
  }
  return {
    id: context.id,
    type: context.type,
    consumer: context.queue,
    hash: context.bodyHash,
    orgId: orgOf(context),
    actor: requestedBy(data, context, sender),
    correlationId: context.correlationId,
    traceparent: context.traceparent,
    wantsReply: context.replyTo !== undefined,
    postureChecked: sender === 'gateway',
    barred: senderRefusal(data, sender),
    data: sender === 'gateway' ? data : { ...data, caller: undefined, idempotency: undefined },
  };
}

/**
 * The query of a message; a field that is null counts as left out. Without a caller it is answered as far as the tenant reaches, so the gateway must name
 * one.
 * @param gatewayUser the broker user that speaks for callers of REST
 * @throws DeadLetter `invalid` where it does not
 */
export function queryOf<T extends Pick<Common, 'caller'>>(data: T, { userId }: MessageContext, gatewayUser: string): T {
  const query = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null)) as T;
  if (query.caller === undefined && userId === gatewayUser) throw new DeadLetter('invalid', 'caller must be given by the gateway');
  return query;
}

/** The fact of an event, or of a report. */
export function factOf<T>(data: T, context: MessageContext): Fact<T> {
  return { id: context.id, consumer: context.queue, hash: context.bodyHash, traceparent: context.traceparent, data };
}
