import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { makerOf } from '../span-maker';
import { useSpanMaker } from '../tracer';

export interface Recording {
  /** The spans that have ended and would have been told, in the order of their ends. */
  readonly spans: ReadableSpan[];
  the(name: string): ReadableSpan;
  stop(): void;
}

/** Traces this process into memory until it is stopped. */
export async function recordSpans(sampler?: Sampler): Promise<Recording> {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)], ...(sampler ? { sampler } : {}) });
  useSpanMaker(await makerOf(provider.getTracer('test')));
  return {
    get spans() {
      return exporter.getFinishedSpans();
    },
    the(name) {
      const span = exporter.getFinishedSpans().find((each) => each.name === name);
      if (!span) throw new Error(`No span is named ${name}`);
      return span;
    },
    stop: () => useSpanMaker(undefined),
  };
}
