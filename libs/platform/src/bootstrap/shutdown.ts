import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';
import { ReadinessGate } from '../health/readiness-gate';

const SIGNALS = ['SIGTERM', 'SIGINT'];

/**
 * Ends the application when the process is told to stop: not ready at once, then Nest's hooks (onModuleDestroy,
 * beforeApplicationShutdown: consumers drain; the HTTP server finishes what it has; onApplicationShutdown: broker and
 * database are let go), then exit code 0. If that takes longer than the time given, exit code 1.
 */
export function stopOnSignal(app: INestApplication, logger: Logger, timeoutSeconds: number): void {
  const gate = app.get(ReadinessGate, { strict: false });
  const begin = (signal: NodeJS.Signals): void => {
    for (const each of SIGNALS) process.removeListener(each, begin);
    gate.close();
    logger.info({ signal }, 'stopping');
    // Unreferenced: it must not be what keeps the process alive.
    setTimeout(() => {
      logger.fatal(`work in hand did not finish within ${timeoutSeconds} s (SHUTDOWN_TIMEOUT_SECONDS): leaving without it`);
      process.exit(1);
    }, timeoutSeconds * 1_000).unref();
  };
  // Before Nest's own listeners, so that readiness falls first.
  for (const signal of SIGNALS) process.on(signal, begin);
  app.enableShutdownHooks(SIGNALS, { useProcessExit: true });
}
