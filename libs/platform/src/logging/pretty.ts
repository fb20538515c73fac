import type { DestinationStream } from 'pino';
import type * as PinoPretty from 'pino-pretty';

/** pino flushes a destination that can be flushed after each fatal line. */
export interface FlushableStream extends DestinationStream {
  flushSync?(): void;
}

/**
 * Puts each line in a shape for a person before it goes on. In this process and at once, not in a worker thread or a
 * stream: the last words of a dying process must come out too.
 */
export function prettyLines(destination: FlushableStream): FlushableStream {
  // Loaded only where lines are for a person: a service that writes JSON never needs its thirty modules.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- `import()` would make the logger come late
  const { prettyFactory } = require('pino-pretty') as typeof PinoPretty;
  const format = prettyFactory({
    colorize: process.stdout.isTTY || (process.env.FORCE_COLOR ?? '0') !== '0',
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'service,context',
    messageFormat: '{service}{if context} {context}{end}: {msg}',
    singleLine: true,
  });
  return {
    write: (line) => destination.write(format(line)),
    flushSync: () => destination.flushSync?.(),
  };
}
