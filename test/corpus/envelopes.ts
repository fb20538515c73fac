import type { Options } from 'amqplib';
import { type BadMessage, type End, HANDLED, INVALID, RESTART, STOP } from './bad-message';

/** A body that is fine, of a workspace that does not exist: only what stands around it is odd. */
const envelope = (name: string, properties: Options.Publish, end: End, type = STOP): BadMessage => ({
  name,
  type,
  body: ({ missing }) => ({ workspace_id: missing }),
  properties,
  end,
});
const header = (name: string, headers: Record<string, unknown>, end: End): BadMessage => ({ ...envelope(name, {}, end), headers });
const ORG = 'cloudEvents_orgid';

/** One header of every type of AMQP 0-9-1 that the broker's own client can send. */
const EVERY_TYPE = {
  'a-boolean': true,
  'a-byte': { '!': 'byte', value: -1 },
  'a-short': { '!': 'short', value: -1 },
  'an-int': -70_000,
  'a-long': 2 ** 40,
  'a-float': { '!': 'float', value: 1.5 },
  'a-double': 0.1,
  'a-decimal': { '!': 'decimal', value: { digits: 1234, places: 2 } },
  'a-timestamp': { '!': 'timestamp', value: 1_700_000_000 },
  'a-string': 'ünïcode',
  bytes: Buffer.from([0, 255]),
  nothing: null,
  'an-array': [1, 'two', [3, { four: null }], Buffer.from('five')],
  'a-table': { inner: { deeper: [true] }, empty: {} },
};

/** Properties and headers that are not what the contract says, or that a consumer could stumble over. */
export const ENVELOPES: readonly BadMessage[] = [
  envelope('no message id', { messageId: undefined }, INVALID),
  envelope('a NUL in the message id', { messageId: 'm\0' }, INVALID),
  envelope('no type', { type: undefined }, INVALID),
  envelope('an unknown type', { type: 'reprise.workspace.explode.v1' }, { dead: 'no_handler' }),
  envelope('a future version of its type', { type: 'reprise.workspace.stop.v2' }, { dead: 'no_handler' }),
  envelope('the type of a command that this sender may not publish', { type: 'reprise.role.create.v1' }, INVALID),
  envelope('the type of a report that only the gateway makes', { type: 'reprise.task.report.v1' }, INVALID),
  envelope('the type of an event', { type: 'reprise.pod.ready.v1' }, INVALID),
  envelope('the type of a query', { type: 'reprise.workspace.get.v1' }, INVALID),
  envelope('a content type that is not JSON', { contentType: 'text/xml' }, INVALID),
  envelope('a content type that is no content type', { contentType: '\u0007' }, INVALID),
  envelope('a content encoding', { contentEncoding: 'gzip' }, INVALID),
  envelope('no content type', { contentType: undefined }, HANDLED),
  envelope('a NUL in the correlation id', { correlationId: 'c\0' }, INVALID),
  envelope('a reply-to to nowhere', { replyTo: 'no.such.queue' }, HANDLED),
  envelope('a reply-to into the queue of a service', { replyTo: 'provisioner.commands' }, HANDLED),
  envelope('a reply-to into the dead letters of a service', { replyTo: 'lifecycle.commands.dead' }, HANDLED),
  envelope('a reply-to to a queue of its own', { replyTo: 'publisher.nowhere' }, 'nothing'),
  envelope('a reply-to that was never given', { replyTo: 'amq.rabbitmq.reply-to.rubbish' }, 'nothing'),
  envelope('a timestamp beyond all time', { timestamp: 2 ** 52 }, HANDLED),
  envelope('a priority and no persistence', { priority: 255, deliveryMode: 1 }, HANDLED),
  envelope('no user-id', { userId: undefined }, { refused: 'unauthenticated' }),
  envelope('the user-id of another', { userId: 'reprise_gateway' }, { barred: /PRECONDITION_FAILED.*user_id/ }),
  envelope('a command that this sender may not publish', {}, { barred: /ACCESS_REFUSED/ }, 'reprise.role.archive.v1'),
  envelope('a routing key of a future version', {}, { barred: /ACCESS_REFUSED/ }, 'reprise.workspace.stop.v2'),
  header('no tenant', { [ORG]: undefined }, INVALID),
  header('an empty tenant', { [ORG]: '' }, INVALID),
  header('a tenant with spaces', { [ORG]: ' acme ' }, INVALID),
  header('a tenant that is a number', { [ORG]: 7 }, INVALID),
  header('a tenant that is a table', { [ORG]: { id: 'acme' } }, INVALID),
  header('a tenant of a thousand characters', { [ORG]: 'a'.repeat(1_000) }, INVALID),
  header('a NUL in the subject', { cloudEvents_subject: 'ws\0' }, INVALID),
  header('an actor with a line break', { cloudEvents_actor: 'alice\nroot' }, INVALID),
  header('an actor without end', { cloudEvents_actor: 'a'.repeat(5_000) }, INVALID),
  header('a future version of CloudEvents', { cloudEvents_specversion: '2.0' }, INVALID),
  header('a time that is none', { cloudEvents_time: 'noon' }, HANDLED),
  header('a trace header that is none', { traceparent: '00-zzzz-\0-01' }, HANDLED),
  header('a trace header of zeros', { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }, HANDLED),
  header('a trace header that is a number', { traceparent: 1 }, HANDLED),
  header('headers of every type of AMQP', EVERY_TYPE, HANDLED),
  header('sixty kilobytes of headers', { ballast: 'x'.repeat(60_000) }, HANDLED),
  header('a hundred headers', Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, i])), HANDLED),
  header('attempts that it never had', { 'x-reprise-attempts': 2 ** 40 }, HANDLED),
  header('a negative number of attempts', { 'x-reprise-attempts': -3 }, HANDLED),
  header('deaths that it never died', { 'x-death': [{ queue: 'lifecycle.commands', reason: 'rejected', count: 99 }] }, HANDLED),
  header('a delivery count of its own', { 'x-delivery-count': 1_000 }, HANDLED),
  {
    ...envelope('the name of the gateway in a header', {}, { refused: 'validation_error' }, RESTART),
    body: ({ workspace }) => ({ workspace_id: workspace, caller: { sub: 'alice', own_only: false } }),
    headers: { 'x-reprise-user-id': 'reprise_gateway' },
  },
];
