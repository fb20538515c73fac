import type { Logger } from 'pino';

/** A process whose state nobody can vouch for ends at once; whoever watches it starts another. */
export function exitOnUnhandled(logger: Logger): void {
  const end = (what: string) => (error: unknown) => {
    logger.fatal({ err: error }, what);
    process.exit(1);
  };
  process.on('uncaughtException', end('uncaught exception'));
  process.on('unhandledRejection', end('unhandled rejection'));
}

/** Says in one line why the service could not start, and exits with 1. The stack is shown only at debug. */
export function exitAtStart(logger: Logger, error: unknown): never {
  logger.debug({ err: error }, 'the start failed');
  logger.fatal({ reason: codeOf(error) }, `could not start: ${reasonOf(error)}`);
  return process.exit(1);
}

function codeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The first line that says anything: Nest's errors of injection go on for a screen, an AggregateError has no message. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split('\n').find((part) => part.trim() !== '');
  return line ?? codeOf(error) ?? 'unknown reason';
}
