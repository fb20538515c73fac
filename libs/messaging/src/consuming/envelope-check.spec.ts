import type { ConsumeMessage, MessageFields } from 'amqplib';
import type { MessageSpec } from '../topology/catalog';
import { checkEnvelope, checkRoute } from './envelope-check';
import { MessageContext } from './message-context';

const NAMES = { retry: 'x.retry', dead: 'x.dead' };
const spec = { type: 'a.v1', kind: 'command', exchange: 'x.commands', routingKey: 'a.v1', data: class {} } as MessageSpec;
const by = (exchange: string, routingKey: string) => ({ exchange, routingKey }) as MessageFields;

describe('the way of a message', () => {
  it.each([
    ['x.commands', 'a.v1'],
    ['x.retry', 'q'],
    ['', 'q'],
  ])('may be %p with %p', (exchange, key) => expect(() => checkRoute(by(exchange, key), spec, NAMES)).not.toThrow());

  it.each([
    ['x.commands', 'b.v1'],
    ['x.events', 'a.v1'],
    ['x.dead', 'q'],
  ])('may not be %p with %p, whatever its type says', (exchange, key) => {
    expect(() => checkRoute(by(exchange, key), spec, NAMES)).toThrow('not its way');
  });
});

describe('an envelope', () => {
  const context = (properties: object) =>
    new MessageContext({ content: Buffer.from('{}'), fields: {}, properties } as unknown as ConsumeMessage, 'q', new Set());

  it.each([
    [{ messageId: 'm' }, 'no type'],
    [{ type: 'a.v1' }, 'no message-id'],
    [{ type: 'a.v1', messageId: 'm', contentType: 'text/xml' }, 'text/xml is not JSON'],
    [{ type: 'a.v1', messageId: 'm', contentEncoding: 'gzip' }, 'encoding gzip is not known'],
    [{ type: 'a.v1', messageId: 'm', headers: { cloudEvents_specversion: '2.0' } }, 'specversion is not 1.0'],
    [{ type: 'a.v1', messageId: 'm\0' }, 'id holds a NUL'],
    [{ type: 'a.v1', messageId: 'm', correlationId: '\0' }, 'correlationId holds a NUL'],
    [{ type: 'a.v1', messageId: 'm', headers: { cloudEvents_subject: 'x\0' } }, 'subject holds a NUL'],
  ])('%p is none', (properties, flaw) => expect(() => checkEnvelope(context(properties))).toThrow(flaw));

  it.each([{}, { contentType: 'application/json; charset=utf-8', contentEncoding: 'utf-8', headers: { cloudEvents_specversion: '1.0' } }])(
    'is whole with a type, an id and %p',
    (more) => expect(() => checkEnvelope(context({ type: 'a.v1', messageId: 'm', ...more }))).not.toThrow(),
  );
});
