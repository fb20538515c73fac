import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Tracing } from './start-tracing';

const LAST_WORDS = Symbol('the end of tracing');

/** Ends tracing in the last of the hooks, when nothing of the application works any more. */
@Module({})
export class TracingModule {
  static forRoot(tracing: Tracing): DynamicModule {
    const end: OnApplicationShutdown = { onApplicationShutdown: () => tracing.stop() };
    return { module: TracingModule, providers: [{ provide: LAST_WORDS, useValue: end }] };
  }
}
