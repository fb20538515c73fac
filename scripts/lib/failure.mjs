// @ts-check

/** Something the person at the keyboard can act on: shown as its message alone, without a stack. */
export class Failure extends Error {
  /** @param {string} message @param {string} [detail] lines shown beneath, such as the end of a log */
  constructor(message, detail) {
    super(detail ? `${message}\n${detail.replace(/^/gm, '    ')}` : message);
    this.name = 'Failure';
  }
}

/** What to print for an error. @param {unknown} error */
export function describe(error) {
  if (error instanceof Failure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
