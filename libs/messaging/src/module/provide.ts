import type { FactoryProvider } from '@nestjs/common';
import { Clock, Metrics } from '@reprise/platform';

export const CLOCK = { token: Clock, optional: true };
export const METRICS = { token: Metrics, optional: true };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are whatever `inject` names
type Factory = (...dependencies: any[]) => unknown;

/** A provider that is made by a function of what is injected. */
export function provide(
  token: FactoryProvider['provide'],
  inject: NonNullable<FactoryProvider['inject']>,
  useFactory: Factory,
): FactoryProvider {
  return { provide: token, inject, useFactory };
}
