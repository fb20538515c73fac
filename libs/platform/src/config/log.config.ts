import { IsIn } from 'class-validator';
import { Env } from './env.decorator';

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
