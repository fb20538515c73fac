import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Env } from './env.decorator';
import { LogConfig } from './log.config';
import { IsPairs } from './pairs';
import { IsUrlOf } from './rules';

export const SAMPLERS = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
];
export type SamplerName = (typeof SAMPLERS)[number];

const HTTP = ['http', 'https'];

/**
 * Where a process tells its traces, by OpenTelemetry's own variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). Without an endpoint it tells none.
 */
export class TracingConfig extends LogConfig {
  @Env('OTEL_EXPORTER_OTLP_ENDPOINT', {
    description:
      'The OpenTelemetry collector; traces go to `/v1/traces` beneath it. Unset, and without OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: no traces.',
    example: 'http://otel-collector:4318',
  })
  @IsOptional()
  @IsUrlOf(HTTP)
  readonly otlpEndpoint?: string;

  @Env('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', {
    description: 'Where traces go, to the letter; goes before OTEL_EXPORTER_OTLP_ENDPOINT.',
    example: 'https://traces.example.com/v1/traces',
  })
  @IsOptional()
  @IsUrlOf(HTTP)
  readonly otlpTracesEndpoint?: string;

  @Env('OTEL_EXPORTER_OTLP_PROTOCOL', { description: 'How the collector is spoken to; there is one way.', default: 'http/protobuf' })
  @IsIn(['http/protobuf'])
  readonly otlpProtocol!: string;

  @Env('OTEL_EXPORTER_OTLP_HEADERS', {
    description: 'Headers for the collector: pairs of `key=value` with commas between them, values percent-encoded.',
    secret: true,
    example: 'authorization=Bearer%20secret',
  })
  @IsOptional()
  @IsPairs()
  readonly otlpHeaders?: string;

  @Env('OTEL_EXPORTER_OTLP_TIMEOUT', { description: 'How many milliseconds a batch may take, its repetitions included.', default: 10_000 })
  @IsInt()
  @Min(100)
  @Max(60_000)
  readonly otlpTimeoutMs!: number;

  @Env('OTEL_BSP_SCHEDULE_DELAY', {
    description: 'How many milliseconds spans are collected before they are sent; a killed process loses as much.',
    default: 5_000,
  })
  @IsInt()
  @Min(10)
  @Max(60_000)
  readonly traceDelayMs!: number;

  @Env('OTEL_SERVICE_NAME', { description: 'What traces call this process; the name of the service where unset.' })
  @IsOptional()
  readonly traceServiceName?: string;

  @Env('OTEL_RESOURCE_ATTRIBUTES', {
    description: 'What traces say of this process besides: pairs of `key=value` with commas between them, values percent-encoded.',
    example: 'deployment.environment.name=staging',
  })
  @IsOptional()
  @IsPairs()
  readonly traceResourceAttributes?: string;

  @Env('OTEL_TRACES_SAMPLER', {
    description: 'Which traces are told; the `parentbased_` ones go by what whoever began the trace decided.',
    default: 'parentbased_always_on',
    type: 'text',
  })
  @IsIn(SAMPLERS)
  readonly traceSampler!: SamplerName;

  @Env('OTEL_TRACES_SAMPLER_ARG', { description: 'Of the samplers with a ratio: the part of the traces that is told.', default: 1 })
  @Min(0)
  @Max(1)
  readonly traceRatio!: number;
}
