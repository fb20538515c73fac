import type { Attributes, Span } from '@opentelemetry/api';
import type { Traceparent } from '../context/traceparent';

export type SpanKindName = 'server' | 'client' | 'producer' | 'consumer' | 'internal';

/** What begins spans. Behind it stands OpenTelemetry, of which nothing is loaded where nothing is traced. */
export interface SpanMaker {
  begin(name: string, kind: SpanKindName, attributes: Attributes, parent: Traceparent | undefined): Span;
}

let maker: SpanMaker | undefined;

/** The process's one maker of spans; undefined where nothing is traced. */
export function spanMaker(): SpanMaker | undefined {
  return maker;
}

/** For the start and the end of tracing, and for tests. */
export function useSpanMaker(next: SpanMaker | undefined): void {
  maker = next;
}
