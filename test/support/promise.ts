import { Stack, type StackOptions } from './stack';

const START_WITHIN_MS = 180_000;
const PROMISE_WITHIN_MS = 90_000;

let broken = false;
/** Of this file: jest loads this module anew for each. */
let plain: Stack | undefined;

/**
 * One stack for all scenarios of a file: for those that it imports, too, but where they have options of their own. Without any, its reconciler
 * looks at the pods each second, so that nobody has to wait for it.
 */
export function useStack(options?: StackOptions): Stack {
  if (options) return started(new Stack(options));
  return (plain ??= started(new Stack({ settings: { provisioner: { RECONCILE_INTERVAL_SECONDS: '1' } } })));
}

function started(stack: Stack): Stack {
  beforeAll(() => stack.start(), START_WITHIN_MS);
  afterAll(async () => {
    if (broken) process.stderr.write(`${stack.logTail()}\n── the logs are kept in ${stack.directory}/logs\n`);
    await stack.stop({ keep: broken });
  }, START_WITHIN_MS);
  return stack;
}

/** A test, named as the promise that it keeps; where it fails, the stack's logs are printed and kept. */
export function promise(name: string, keep: () => Promise<void>, within = PROMISE_WITHIN_MS): void {
  test(name, () => watched(keep), within);
}

async function watched(keep: () => Promise<void>): Promise<void> {
  try {
    await keep();
  } catch (error) {
    broken = true;
    throw error;
  }
}
