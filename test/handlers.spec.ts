import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CATALOG, MESSAGES } from '@reprise/contracts';

const SERVICES = resolve(__dirname, '../services');
/** Where Nest keeps what `@MessagePattern` and `@EventPattern` were given. */
const PATTERN = 'microservices:pattern';

function controllersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : controllersIn(path);
    return entry.name.endsWith('.controller.ts') ? [path] : [];
  });
}

/** The message types that a service's controllers handle, each as often as it is handled. */
function handledBy(service: string): string[] {
  return controllersIn(join(SERVICES, service, 'src')).flatMap((path) => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- which files there are is found out at run time
    const exported = Object.values(require(path) as Record<string, unknown>);
    const classes = exported.filter((each): each is { prototype: object } => typeof each === 'function' && 'prototype' in each);
    return classes.flatMap(({ prototype }) =>
      Object.getOwnPropertyNames(prototype).flatMap((name) => {
        const method = Object.getOwnPropertyDescriptor(prototype, name)?.value;
        return typeof method === 'function' ? ((Reflect.getMetadata(PATTERN, method) as string[] | undefined) ?? []) : [];
      }),
    );
  });
}

const services = readdirSync(SERVICES).filter((name) => name !== 'gateway');
const handled = services.flatMap((service) => handledBy(service).map((type) => ({ service, type })));

// The gateway has no handlers: it listens, on a queue of each instance, to the ends of operations and tasks.
it.each(MESSAGES.filter(({ consumer }) => consumer !== null && consumer !== 'gateway').map(({ type, consumer }) => [type, consumer]))(
  '%s has exactly one handler, in %s',
  (type, consumer) => {
    expect(handled.filter((each) => each.type === type)).toEqual([{ service: consumer, type }]);
  },
);

it('nothing is handled that is not a message', () => {
  expect(handled.filter(({ type }) => !CATALOG.has(type))).toEqual([]);
  expect(handled.length).toBeGreaterThan(30);
});
