import { annotateSpan, inSpan } from '@reprise/platform';
import type { OutgoingMessage } from '../publishing/envelope';
import type { Reply } from '../requesting/requester';

/** Asks within a span, from the first sending to the answer; the message carries the span, and is the same message however often it is sent. */
export function inAskSpan(message: OutgoingMessage, ask: () => Promise<Reply>): Promise<Reply> {
  const attributes = {
    'messaging.system': 'rabbitmq',
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'request',
    'messaging.destination.name': message.type,
    'messaging.message.id': message.id,
  };
  return inSpan(`request ${message.type}`, { kind: 'client', attributes }, async () => {
    const reply = await ask();
    if (reply.status === 'refused') annotateSpan({ 'reprise.refusal.code': reply.refusal.code });
    return reply;
  });
}
