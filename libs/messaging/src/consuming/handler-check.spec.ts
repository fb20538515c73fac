import type { Catalog } from '../topology/catalog';
import { checkHandlers } from './handler-check';

class Data {}
const catalog: Catalog = new Map(
  ['a.v1', 'b.v1'].map((type) => [type, { type, kind: 'command', exchange: 'e', routingKey: type, data: Data }]),
);
const queue = (...keys: string[]) => ({
  name: 'q',
  kind: 'work' as const,
  bindings: keys.map((routingKey) => ({ exchange: 'e', routingKey })),
});
const check = (keys: string[], handlers: string[], types?: string[]): void =>
  checkHandlers([{ spec: { queue: 'q', types }, queue: queue(...keys) }], new Map(handlers.map((type) => [type, 1])), catalog);

describe('handlers and queues', () => {
  it('must match: a handler for each binding', () => {
    expect(() => check(['a.v1', 'b.v1'], ['a.v1', 'b.v1'])).not.toThrow();
    expect(() => check(['a.v1', 'b.v1'], ['a.v1'])).toThrow('b.v1 has no handler');
  });

  it('must match: no handler for what the catalogue does not know', () => {
    expect(() => check(['a.v1'], ['a.v1', 'x.v1'])).toThrow('x.v1 has a handler but is not in the catalogue');
  });

  it('may be told apart where a binding is a pattern', () => {
    expect(() => check(['#'], ['a.v1'])).not.toThrow();
    expect(() => check(['#'], ['a.v1'], ['b.v1'])).toThrow('b.v1 has no handler');
  });
});
