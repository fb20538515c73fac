import { IsIn, IsInt, IsNotEmpty, Max, Min } from 'class-validator';
import { Env } from './env.decorator';
import { IsUrlOf } from './rules';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** How a process logs. */
export class LogConfig {
  @Env('LOG_LEVEL', { description: 'The least severe log lines that are written.', default: 'info', type: 'text' })
  @IsIn(LOG_LEVELS)
  readonly logLevel!: LogLevel;

  @Env('LOG_FORMAT', {
    description: '`json` writes one JSON object a line, `pretty` is for a person at a terminal.',
    default: 'json',
    type: 'text',
  })
  @IsIn(LOG_FORMATS)
  readonly logFormat!: LogFormat;
}

/** What every service is told; a service's own config class extends it. */
export class ServiceConfig extends LogConfig {
  @Env('HTTP_HOST', {
    description: 'The address that the HTTP server listens on; `0.0.0.0` for all.',
    default: '127.0.0.1',
  })
  @IsNotEmpty()
  readonly httpHost!: string;

  @Env('HTTP_PORT', { description: 'The port that the HTTP server listens on.', default: 8080 })
  @IsInt()
  @Min(1)
  @Max(65_535)
  readonly httpPort!: number;

  @Env('METRICS_HOST', {
    description: 'The address that `/metrics` is served on; `0.0.0.0` for all. It is for the monitoring alone: keep it from the public.',
    default: '127.0.0.1',
  })
  @IsNotEmpty()
  readonly metricsHost!: string;

  @Env('METRICS_PORT', { description: 'The port that `/metrics` is served on.', default: 9464 })
  @IsInt()
  @Min(1)
  @Max(65_535)
  readonly metricsPort!: number;

  @Env('AMQP_URL', {
    description: 'The message broker, with the user and password of this service.',
    secret: true,
    example: 'amqp://user:password@rabbitmq:5672/vhost',
  })
  @IsUrlOf(['amqp', 'amqps'])
  readonly amqpUrl!: string;

  @Env('SHUTDOWN_TIMEOUT_SECONDS', {
    description: 'How long work in hand may take to finish after SIGTERM before the process ends without it.',
    default: 25,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly shutdownTimeoutSeconds!: number;
}
