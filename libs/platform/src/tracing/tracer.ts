import type { Tracer } from '@opentelemetry/api';

let tracer: Tracer | undefined;

/** The process's one tracer; undefined where nothing is traced, and then nothing else of OpenTelemetry is touched. */
export function currentTracer(): Tracer | undefined {
  return tracer;
}

/** For the start and the end of tracing, and for tests. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}
