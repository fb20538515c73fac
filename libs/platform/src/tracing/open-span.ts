import type { Attributes, Span, SpanStatusCode } from '@opentelemetry/api';
import { currentContext, type RequestContext, spanInHand, type SpanInHand, workInHand } from '../context/context';
import { parseTraceparent } from '../context/traceparent';
import { attributesOf } from './attributes';
import { spanMaker, type SpanKindName } from './tracer';

export interface SpanOptions {
  /** `internal` by default. Those that something comes in by (server, consumer) and `producer` may begin a trace; others are made only within one. */
  readonly kind?: SpanKindName;
  readonly attributes?: Attributes;
  /** The traceparent of the span that this one is part of: by default that of the work in hand; null for none. */
  readonly parent?: string | null;
  /** Whether what was thrown is a failure of the span; by default everything is. A refusal, for one, is an answer. */
  readonly isFailure?: (error: unknown) => boolean;
}

const MAY_BEGIN: ReadonlySet<SpanKindName> = new Set<SpanKindName>(['server', 'consumer', 'producer']);
const ERROR: SpanStatusCode.ERROR = 2;

/** A span that has begun and has not ended. What the work in hand belongs to (tenant, workspace, operation) is written on it at its end. */
export class OpenSpan implements SpanInHand {
  readonly traceId: string;
  readonly traceparent: string;
  private ended = false;

  constructor(
    private readonly span: Span,
    private readonly work: RequestContext,
  ) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceId = traceId;
    this.traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  }

  set(attributes: Attributes): void {
    this.span.setAttributes(attributes);
  }

  fail(type: string): void {
    this.span.setAttribute('error.type', type);
    // No message: what an error says may quote what a message or a task said, and the log has it under the same trace id.
    this.span.setStatus({ code: ERROR });
  }

  /** A second end does nothing. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.span.isRecording()) this.span.setAttributes(attributesOf(this.work));
    this.span.end();
  }
}

/**
 * Begins a span; whoever calls this ends it. Undefined where nothing is traced, or where the span would be the first of its trace and is none that
 * may be.
 * @param work what the span belongs to, read when it ends
 */
export function openSpan(name: string, options: SpanOptions, work: RequestContext = workInHand()): OpenSpan | undefined {
  const maker = spanMaker();
  if (maker === undefined) return undefined;
  const { kind = 'internal', attributes = {}, parent = currentContext().traceparent } = options;
  const within = parseTraceparent(parent ?? undefined);
  if (within === undefined && !MAY_BEGIN.has(kind)) return undefined;
  return new OpenSpan(maker.begin(name, kind, attributes, within), work);
}

/** The innermost span of the work in hand learns something; outside of any, nothing happens. */
export function annotateSpan(attributes: Attributes): void {
  spanInHand()?.set(attributes as Parameters<SpanInHand['set']>[0]);
}

/** The innermost span of the work in hand has failed, though nothing is thrown. */
export function failSpan(type: string): void {
  spanInHand()?.fail(type);
}
