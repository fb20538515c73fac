import { fromJson, toJson } from './amqp-values';

it('a table whose key __proto__ was bytes, as amqplib reads it, is stored like any other', () => {
  const table = { mine: 1, inner: Object.setPrototypeOf({ x: 1 }, Buffer.from('y')) as object };
  expect(fromJson(toJson(Object.setPrototypeOf(table, Buffer.from('z')) as object))).toEqual({ mine: 1, inner: { x: 1 } });
});

it('AMQP values come back from the store as they were', () => {
  const table = {
    text: 'a\0b',
    bytes: Buffer.from([0, 255]),
    time: { '!': 'timestamp', value: 1_700_000_000 },
    list: [1.5, null, true, { deep: Buffer.from('x') }],
  };
  expect(fromJson(toJson(table))).toEqual(table);
});
