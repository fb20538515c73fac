import { fromJson, toJson } from './amqp-values';

it('AMQP values come back from the store as they were', () => {
  const table = {
    text: 'a\0b',
    bytes: Buffer.from([0, 255]),
    time: { '!': 'timestamp', value: 1_700_000_000 },
    list: [1.5, null, true, { deep: Buffer.from('x') }],
  };
  expect(fromJson(toJson(table))).toEqual(table);
});
