import { IsArray, IsIn, IsInt, IsNotEmpty, IsOptional, Max, Min } from 'class-validator';
import { Env } from './env.decorator';
import { IsReadableFile, IsUrlOf } from './rules';
import { TracingConfig } from './tracing.config';

export { LOG_FORMATS, LOG_LEVELS, LogConfig, type LogFormat, type LogLevel } from './log.config';

/** What every service is told; a service's own config class extends it. */
export class ServiceConfig extends TracingConfig {
  @Env('HTTP_HOST', {
    description: 'The address that the HTTP server listens on; `0.0.0.0` for all. Of a name, the address of it that this machine has.',
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
    description:
      'The address that `/metrics` is served on; `0.0.0.0` for all. Of a name, the address of it that this machine has. It is for the monitoring alone: keep it from the public.',
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

  @Env('AMQP_CA_FILE', {
    description:
      "With an `amqps://` AMQP_URL: the authority, in PEM, that the broker's certificate must come from; unset, the public ones. The host in AMQP_URL must stand in the certificate.",
    example: '/etc/reprise/tls/broker-ca.pem',
  })
  @IsOptional()
  @IsReadableFile()
  readonly amqpCaFile?: string;

  @Env('AMQP_USERS', {
    description:
      'Whether each service logs in to the broker as its own user (`per-service`: `reprise_gateway`, …), or all have the same login (`shared`). With `shared` nobody checks who sent a message.',
    default: 'per-service',
    type: 'text',
  })
  @IsIn(['per-service', 'shared'])
  readonly amqpUsers!: 'per-service' | 'shared';

  @Env('AMQP_OPERATORS', {
    description:
      'The broker users of operators: the login in the AMQP_URL with which the `reprise` command is used. They may ask how things stand, set postures and have operations sent again.',
    default: ['reprise_admin'],
  })
  @IsArray()
  @IsNotEmpty({ each: true })
  readonly amqpOperators!: string[];

  @Env('SHUTDOWN_TIMEOUT_SECONDS', {
    description: 'How long work in hand may take to finish after SIGTERM before the process ends without it.',
    default: 25,
  })
  @IsInt()
  @Min(1)
  @Max(3_600)
  readonly shutdownTimeoutSeconds!: number;
}
