import pino, { type Logger } from 'pino';
import type { LogFormat, LogLevel } from '../config/service.config';
import { capLine } from './cap-line';
import { logFields } from './log-fields';
import { type FlushableStream, prettyLines } from './pretty';
import { redactLine } from './redact';

export interface LoggerOptions {
  /** The service's name, on every line. */
  readonly name: string;
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Where lines go; standard output where not given. */
  readonly destination?: FlushableStream;
}

/**
 * The process's one logger. Lines are JSON with `service`, `level` as a word, `time` in ISO 8601 and the fields of the
 * work in hand; secrets are removed from the finished line, and one that is too long is cut. Writing never waits for the reader of standard output.
 * A fatal line, and whatever is unwritten when the process exits, is flushed.
 */
export function createLogger(options: LoggerOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 1, sync: false });
  return pino(
    {
      level: options.level,
      base: { service: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: logFields,
      hooks: { streamWrite: (line) => redactLine(capLine(line)) },
    },
    options.format === 'pretty' ? prettyLines(destination) : destination,
  );
}
