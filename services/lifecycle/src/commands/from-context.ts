import { DeadLetter, type MessageContext } from '@reprise/messaging';
import { Command, Common, Fact } from './command';

const ORG = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/**
 * The tenant that a message is for.
 * @throws DeadLetter `invalid` where it names none
 */
export function orgOf({ orgId }: MessageContext): string {
  if (orgId === undefined || !ORG.test(orgId)) {
    throw new DeadLetter(
      'invalid',
      'The header cloudEvents_orgid must name the tenant: 1 to 128 letters, digits, dots, hyphens or underscores',
    );
  }
  return orgId;
}

/**
 * The command of a message.
 * @param gatewayUser the broker user whose commands have had their posture checked
 * @throws DeadLetter `invalid` where the message names no tenant
 */
export function commandOf<T extends Common>(data: T, context: MessageContext, gatewayUser: string): Command<T> {
  return {
    id: context.id,
    type: context.type,
    consumer: context.queue,
    hash: context.bodyHash,
    orgId: orgOf(context),
    actor: data.caller?.sub ?? context.actor ?? context.userId ?? context.source ?? 'unknown',
    correlationId: context.correlationId,
    traceparent: context.traceparent,
    wantsReply: context.replyTo !== undefined,
    postureChecked: context.userId === gatewayUser,
    data,
  };
}

/** The fact of an event, or of a report. */
export function factOf<T>(data: T, context: MessageContext): Fact<T> {
  return { id: context.id, consumer: context.queue, hash: context.bodyHash, traceparent: context.traceparent, data };
}
