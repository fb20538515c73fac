import { catalogOf } from './catalog';

class Ask {
  static readonly type = 'a.ask.v1';
  static readonly kind = 'command';
  static readonly consumer = 'svc';
}

class Tell {
  static readonly type = 'a.told.v1';
  static readonly kind = 'event';
  static readonly consumer = null;
}

describe('the catalogue', () => {
  it('sends each message by its type to the exchange of its kind, and minds only the loss of those that someone must handle', () => {
    const catalog = catalogOf([Ask, Tell], { command: 'c', event: 'e', query: 'q' });
    expect(catalog.get('a.ask.v1')).toEqual({
      type: 'a.ask.v1',
      kind: 'command',
      exchange: 'c',
      routingKey: 'a.ask.v1',
      data: Ask,
      mandatory: true,
      tellsRefusal: false,
    });
    expect(catalog.get('a.told.v1')).toMatchObject({ exchange: 'e', mandatory: false });
  });
});
