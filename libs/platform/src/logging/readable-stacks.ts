import { install } from 'source-map-support';

/**
 * From here on the stacks of errors name the lines of the source. A map is read when the first stack needs it: Node's own
 * `--enable-source-maps` reads those of all libraries at start, and keeps them, 20 MB in each service.
 */
export function makeStacksReadable(): void {
  install({ environment: 'node', handleUncaughtExceptions: false });
}
