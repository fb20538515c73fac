import { ManualClock, runWith } from '@reprise/platform';
import type { Catalog } from '../topology/catalog';
import { Envelope, UnknownMessageTypeError } from './envelope';

class Data {}
const catalog: Catalog = new Map([
  ['a.v1', { type: 'a.v1', kind: 'event', exchange: 'events', routingKey: 'a.v1', data: Data, mandatory: false }],
]);
const envelope = new Envelope(catalog, 'svc', new ManualClock('2026-03-01T10:00:00.123Z'));

describe('the envelope', () => {
  it('maps a message to CloudEvents in binary mode', () => {
    const message = { id: 'm-1', type: 'a.v1', data: { x: 1 }, subject: 'ws_1', orgId: 'acme', actor: 'alice', correlationId: 'c-1' };
    expect(envelope.prepare({ ...message, traceparent: '00-t' })).toEqual({
      exchange: 'events',
      routingKey: 'a.v1',
      body: '{"x":1}',
      properties: {
        messageId: 'm-1',
        type: 'a.v1',
        timestamp: Date.parse('2026-03-01T10:00:00Z') / 1000,
        correlationId: 'c-1',
        contentType: 'application/json',
        deliveryMode: 2,
        mandatory: false,
        appId: 'svc',
        headers: {
          cloudEvents_specversion: '1.0',
          cloudEvents_time: '2026-03-01T10:00:00.123Z',
          cloudEvents_source: 'svc',
          cloudEvents_subject: 'ws_1',
          cloudEvents_orgid: 'acme',
          cloudEvents_actor: 'alice',
          traceparent: '00-t',
        },
      },
    });
  });

  it('gives a message an id of its own, which is then its correlation id', () => {
    const [first, second] = [envelope.prepare({ type: 'a.v1', data: {} }), envelope.prepare({ type: 'a.v1', data: {} })];
    expect(first.properties.messageId).not.toBe(second.properties.messageId);
    expect(first.properties.correlationId).toBe(first.properties.messageId);
  });

  it('leaves out what is not known, and takes the trace from the work in hand', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { headers } = runWith({ traceparent }, () => envelope.prepare({ type: 'a.v1', data: {}, subject: null })).properties;
    expect(Object.keys(headers).sort()).toEqual(['cloudEvents_source', 'cloudEvents_specversion', 'cloudEvents_time', 'traceparent']);
    expect(headers.traceparent).toBe(traceparent);
  });

  it('refuses a type that is not in the catalogue', () => {
    expect(() => envelope.prepare({ type: 'b.v1', data: {} })).toThrow(UnknownMessageTypeError);
  });
});
