import type { Sampler } from '@opentelemetry/sdk-trace-node';
import { parsePairs } from '../config/pairs';
import type { TracingConfig } from '../config/tracing.config';
import { makerOf } from './span-maker';
import { ToldOnceExporter } from './told-once.exporter';
import type { SpanMaker } from './tracer';

/** In characters; 128 of them is the SDK's own limit of how many there are. */
const LONGEST_ATTRIBUTE = 1_024;

type TraceSdk = typeof import('@opentelemetry/sdk-trace-node');

/** What begins spans that a collector is told of, and how that ends. */
export interface Telling {
  readonly maker: SpanMaker;
  /** Sends what is left; may take as long as the collector does. */
  shutdown(): Promise<void>;
}

/** OpenTelemetry's SDK as the config says. Loaded here and not above: a process that tells no traces pays neither the time nor the memory. */
export async function tellTo(url: string, name: string, config: TracingConfig): Promise<Telling> {
  const [sdk, { OTLPTraceExporter }, { defaultResource, resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({ url, headers: parsePairs(config.otlpHeaders ?? '') ?? {}, timeoutMillis: config.otlpTimeoutMs });
  const provider = new sdk.NodeTracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        ...parsePairs(config.traceResourceAttributes ?? ''),
        'service.name': config.traceServiceName ?? name,
        'service.instance.id': `${name}-${process.pid}-${Date.now().toString(36)}`,
      }),
    ),
    sampler: samplerOf(sdk, config),
    // What a request or a message holds fills no span.
    spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
    spanProcessors: [
      new sdk.BatchSpanProcessor(new ToldOnceExporter(exporter, new URL(url).origin), { scheduledDelayMillis: config.traceDelayMs }),
    ],
  });
  return { maker: await makerOf(provider.getTracer('reprise')), shutdown: () => provider.shutdown() };
}

/** The sampler of that name, as the specification means it. */
export function samplerOf(sdk: TraceSdk, { traceSampler, traceRatio }: Pick<TracingConfig, 'traceSampler' | 'traceRatio'>): Sampler {
  const { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } = sdk;
  const root = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(traceRatio),
  }[traceSampler.replace('parentbased_', '') as 'always_on' | 'always_off' | 'traceidratio']();
  return traceSampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
