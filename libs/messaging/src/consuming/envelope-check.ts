import type { MessageFields } from 'amqplib';
import { Findings, findUnstorable } from '@reprise/platform';
import { CE, HEADER } from '../publishing/headers';
import type { MessageSpec } from '../topology/catalog';
import type { TopologyNames } from '../topology/topology';
import { said } from './decode';
import type { MessageContext } from './message-context';
import { DeadLetter } from './outcome';

/** JSON, with or without its charset. */
const JSON_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;
/** Of a text around the data. Names have 255 characters at most; what is recorded of who asked may join two. */
const LONGEST = 1_024;
/** Of a text among the properties, which can go no further where it is longer. */
const LONGEST_PROPERTY_BYTES = 255;
const PLAIN_ENCODING = /^(?:utf-?8|identity)$/i;

/**
 * Whether what stands around the data can be used: the message says what it is and which one, it is of this version of CloudEvents and in JSON as far
 * as it says, and no text in it is longer than such texts are, or one that no database takes.
 * @throws DeadLetter `invalid`
 */
export function checkEnvelope(context: MessageContext): void {
  const { id, type, correlationId, source, subject, orgId, actor, replyTo, contentType, contentEncoding, headers } = context;
  const unreadable = headers[HEADER.unreadable];
  if (unreadable !== undefined)
    throw new DeadLetter('invalid', `Headers cannot be read: ${typeof unreadable === 'string' ? unreadable : 'nobody knows which'}`);
  if (!type || !id) throw new DeadLetter('invalid', `The message has no ${type ? 'message-id' : 'type'} property`);
  if (contentType !== undefined && !JSON_TYPE.test(contentType))
    throw new DeadLetter('invalid', `The content type ${contentType} is not JSON`);
  if (contentEncoding !== undefined && !PLAIN_ENCODING.test(contentEncoding))
    throw new DeadLetter('invalid', `The content encoding ${contentEncoding} is not known`);
  const version = headers[CE.specversion];
  if (version !== undefined && version !== '1.0') throw new DeadLetter('invalid', 'The header cloudEvents_specversion is not 1.0');
  const texts = { id, type, correlationId, source, subject, orgId, actor, replyTo };
  const findings = new Findings();
  findUnstorable(texts, findings);
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined && text.length > LONGEST) findings.add([name], `is longer than ${LONGEST} characters`);
  }
  // It came in as many bytes; what is not UTF-8 becomes longer, and what is published with it could not be sent.
  for (const [name, text] of Object.entries({ id, type, correlationId, replyTo })) {
    if (text !== undefined && Buffer.byteLength(text) > LONGEST_PROPERTY_BYTES) findings.add([name], 'is not UTF-8');
  }
  if (!findings.none) throw new DeadLetter('invalid', `A property cannot be taken: ${said(findings)}`);
}

/** What decides whether a message has come by its way. */
export interface Way {
  fields: Pick<MessageFields, 'exchange' | 'routingKey'>;
  context: Pick<MessageContext, 'queue' | 'republished'>;
  /** The types that the queue is there for; undefined where it is bound by a pattern. */
  types: ReadonlySet<string> | undefined;
  names: TopologyNames;
}

/**
 * Whether the message came by the way of its type. The broker lets a user publish by exchange and routing key; the handler is chosen by the
 * property `type`, which the broker does not look at. If these could differ, whoever may send one command could send them all. And a message that
 * the broker has moved into another queue would be new to the inbox, which knows it by queue and id.
 * By the retry exchange come only copies that were published again by ourselves or by who sends dead letters again.
 * @throws DeadLetter `invalid`
 */
export function checkRoute(spec: MessageSpec, { fields: { exchange, routingKey }, context, types, names }: Way): void {
  if (types && !types.has(spec.type)) throw new DeadLetter('invalid', `${spec.type} does not belong into ${context.queue}`);
  if (exchange === names.retry && context.republished) return;
  if (exchange === spec.exchange && routingKey === spec.routingKey) return;
  const from = exchange === '' ? 'the default exchange' : exchange;
  throw new DeadLetter('invalid', `${spec.type} came by ${from} with the routing key ${routingKey}, which is not its way`);
}
