import type { Catalog } from '../topology/catalog';
import type { QueueSpec } from '../topology/topology';
import type { ConsumerSpec } from './amqp-server';

/**
 * Refuses a service whose handlers and queues do not belong together, so that the mistake shows at its start and not in the dead letters.
 * @throws Error that names each type without a handler, and each handler that no queue or catalogue knows
 */
export function checkHandlers(
  queues: readonly { spec: ConsumerSpec; queue: QueueSpec }[],
  handlers: ReadonlyMap<string, unknown>,
  catalog: Catalog,
): void {
  const wanted = new Set(
    queues.flatMap(({ spec, queue }) => spec.types ?? queue.bindings.map(({ routingKey }) => routingKey).filter(isType)),
  );
  const problems = [
    ...[...wanted].filter((type) => !handlers.has(type)).map((type) => `${type} has no handler`),
    ...[...handlers.keys()].filter((type) => !catalog.has(type)).map((type) => `${type} has a handler but is not in the catalogue`),
  ];
  if (problems.length > 0) throw new Error(`Messages and handlers do not match: ${problems.join('; ')}`);
}

/** A binding may have a pattern for a key. */
function isType(routingKey: string): boolean {
  return !/[*#]/.test(routingKey);
}
