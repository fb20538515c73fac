import type { ConsumeMessage } from 'amqplib';
import type { MessageSpec } from '../topology/catalog';
import { checkEnvelope, checkRoute } from './envelope-check';
import { MessageContext } from './message-context';

const NAMES = { retry: 'x.retry', dead: 'x.dead' };
const spec = { type: 'a.v1', kind: 'command', exchange: 'x.commands', routingKey: 'a.v1', data: class {} } as MessageSpec;
const by = (exchange: string, routingKey: string, { republished = false, types = new Set(['a.v1']) } = {}) => ({
  fields: { exchange, routingKey },
  context: { queue: 'q', republished },
  types,
  names: NAMES,
});

describe('the way of a message', () => {
  it.each([
    ['x.commands', 'a.v1', false],
    ['x.commands', 'a.v1', true],
    ['x.retry', 'q', true],
  ])('may be %p with %p (published again: %p)', (exchange, key, republished) => {
    expect(() => checkRoute(spec, by(exchange, key, { republished }))).not.toThrow();
  });

  it.each([
    ['x.commands', 'b.v1', false],
    ['x.events', 'a.v1', false],
    ['x.dead', 'q', true],
    ['x.retry', 'q', false],
    ['', 'q', false],
    ['', 'a.v1', true],
  ])('may not be %p with %p (published again: %p), whatever its type says', (exchange, key, republished) => {
    expect(() => checkRoute(spec, by(exchange, key, { republished }))).toThrow('not its way');
  });

  it('ends in the queue of its type, where that is not bound by a pattern', () => {
    const elsewhere = by('x.retry', 'q', { republished: true, types: new Set(['b.v1']) });
    expect(() => checkRoute(spec, elsewhere)).toThrow('a.v1 does not belong into q');
    expect(() => checkRoute(spec, { ...elsewhere, types: undefined })).not.toThrow();
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
