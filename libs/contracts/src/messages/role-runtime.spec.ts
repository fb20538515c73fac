import 'reflect-metadata';
import { validateSync } from 'class-validator';
import { RoleRuntime } from './role-runtime';

const flawed = (runtime: object): string[] => validateSync(Object.assign(new RoleRuntime(), runtime)).map(({ property }) => property);

it.each([
  'debian',
  'debian:bookworm-slim',
  'team/image:1.2',
  'registry.example/team/image',
  'registry.example:5000/a/b_c/d--e:v1',
  'localhost:5000/image',
  `image@sha256:${'0'.repeat(64)}`,
  `image:1@sha256:${'f'.repeat(64)}`,
])('%s is the name of an image', (image) => expect(flawed({ image })).toEqual([]));

it.each([
  '',
  'Image',
  'an image',
  'a/../b',
  'a//b',
  '/a',
  'a/',
  'image:',
  ':1',
  'image@sha256:0',
  'https://registry.example/image',
  'registry.example:port/image',
  'a\nb',
  `${'a'.repeat(513)}`,
  null,
  7,
])('%p is none', (image) => expect(flawed({ image })).toEqual(['image']));

it.each([
  ['cpus', 0.5, 0],
  ['memory_mb', 96, 95.5],
  ['pids', 32, '32'],
  ['disk_mb', 16, null],
  ['read_only_root', true, 'yes'],
])('%s may be %p, not %p', (field, right, wrong) => {
  expect(flawed({ [field]: right })).toEqual([]);
  expect(flawed({ [field]: wrong })).toEqual([field]);
});

it.each([1e-7, 5e-324, 0.0501, NaN, Infinity, 1e21, '1'])('cpus may not be %p', (cpus) => expect(flawed({ cpus })).toEqual(['cpus']));
it.each([0.05, 0.123, 1.1, 1_024])('cpus may be %p', (cpus) => expect(flawed({ cpus })).toEqual([]));
