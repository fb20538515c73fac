import { Logger as NestPinoLogger, PinoLogger } from 'nestjs-pino';
import type { Logger } from 'pino';

// Nest tells every route and module that it finds, which is noise but for the one who looks for it.
const CHATTY = new Set(['InstanceLoader', 'RouterExplorer', 'RoutesResolver', 'NestFactory', 'NestApplication', 'NestMicroservice']);
// What stops the start is told once, by startService; Nest's own lines would be the second and third time.
const SAID_ELSEWHERE = new Set(['ExceptionHandler', 'NestApplication']);

/** What Nest's `new Logger('Context')` writes to: pino, with Nest's own start-up talk at debug. */
export class ServiceLogger extends NestPinoLogger {
  constructor(logger: Logger) {
    const params = { pinoHttp: { logger } };
    super(new PinoLogger(params), params);
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (CHATTY.has(contextOf(rest))) this.debug(message, ...rest);
    else super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    if (SAID_ELSEWHERE.has(contextOf(rest))) this.debug(message, ...rest);
    else super.error(message, ...rest);
  }
}

function contextOf(rest: readonly unknown[]): string {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : '';
}
