import 'reflect-metadata';
import { validateSync } from 'class-validator';
import { IsCounter, IsTime } from './rules';

class Fact {
  @IsTime()
  at: unknown = '2026-11-02T09:30:00.000Z';

  @IsCounter()
  generation: unknown = 1;
}

const flawed = (over: Partial<Fact>): string[] => validateSync(Object.assign(new Fact(), over)).map(({ property }) => property);

it.each([
  '2026-11-02T09:30:00Z',
  '2024-02-29T00:00:00.123456+05:30',
  '0099-01-01T00:00:00Z',
  '2026-11-02T09:30:00+14:00',
  '2026-11-02T23:59:59-12:00',
])('%s is a time', (at) => expect(flawed({ at })).toEqual([]));

it.each([
  '',
  'noon',
  '2026-W05',
  '2026-001',
  '2026-11-02',
  '2026-02-30T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '2026-01-01T24:01:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:00:00z',
  '2026-01-01t00:00:00Z',
  '2026-01-01T00:00:00+15:00',
  '2026-01-01T00:00:00+16:00',
  '2026-01-01T00:00:00-23:59',
  '2026-13-01T00:00:00Z',
  '2026-01-01T00:00:60Z',
  7,
  null,
])('%p is none', (at) => expect(flawed({ at })).toEqual(['at']));

it.each([0, -1, 1.5, 2 ** 31, 1e21, '1', null, NaN])('%p is no counter', (generation) =>
  expect(flawed({ generation })).toEqual(['generation']),
);
