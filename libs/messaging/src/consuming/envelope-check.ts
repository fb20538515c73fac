import type { MessageFields } from 'amqplib';
import { flawsOf } from '@reprise/platform';
import { CE } from '../publishing/headers';
import type { MessageSpec } from '../topology/catalog';
import type { TopologyNames } from '../topology/topology';
import type { MessageContext } from './message-context';
import { DeadLetter } from './outcome';

/** JSON, with or without its charset. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
const PLAIN_ENCODING = /^(?:utf-?8|identity)$/i;

/**
 * Whether what stands around the data can be used: the message says what it is and which one, it is of this version of CloudEvents and in JSON as far
 * as it says, and no text in it is one that no database takes.
 * @throws DeadLetter `invalid`
 */
export function checkEnvelope(context: MessageContext): void {
  const { id, type, correlationId, source, subject, orgId, actor, replyTo, contentType, contentEncoding, headers } = context;
  if (!type || !id) throw new DeadLetter('invalid', `The message has no ${type ? 'message-id' : 'type'} property`);
  if (contentType !== undefined && !JSON_TYPE.test(contentType))
    throw new DeadLetter('invalid', `The content type ${contentType} is not JSON`);
  if (contentEncoding !== undefined && !PLAIN_ENCODING.test(contentEncoding))
    throw new DeadLetter('invalid', `The content encoding ${contentEncoding} is not known`);
  const version = headers[CE.specversion];
  if (version !== undefined && version !== '1.0') throw new DeadLetter('invalid', 'The header cloudEvents_specversion is not 1.0');
  const flaws = Object.entries(flawsOf({ id, type, correlationId, source, subject, orgId, actor, replyTo }));
  if (flaws.length > 0) throw new DeadLetter('invalid', `A property cannot be stored: ${flaws.map((flaw) => flaw.join(' ')).join('; ')}`);
}

/**
 * Whether the message came by the way of its type. The broker lets a user publish by exchange and routing key; the handler is chosen by the
 * property `type`, which the broker does not look at. If these could differ, whoever may send one command could send them all.
 * What comes by the retry exchange, or straight into the queue by its name, was put there by a service of our own.
 * @throws DeadLetter `invalid`
 */
export function checkRoute({ exchange, routingKey }: MessageFields, spec: MessageSpec, names: TopologyNames): void {
  if (exchange === '' || exchange === names.retry) return;
  if (exchange === spec.exchange && routingKey === spec.routingKey) return;
  throw new DeadLetter('invalid', `${spec.type} came by ${exchange} with the routing key ${routingKey}, which is not its way`);
}
