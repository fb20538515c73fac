/** The exit codes of the command, for scripts. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An end that is not a defect: its message is the one line on standard error, its code the exit code. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.failed,
  ) {
    super(message);
  }
}

/** Someone who must answer does not. */
export const unreachable = (message: string): Failure => new Failure(message, EXIT.unreachable);

/** The command line is wrong. */
export const wrongUsage = (message: string): Failure => new Failure(message, EXIT.usage);

/** The innermost thing that can be said of an error: fetch and happy-eyeballs connects hide it in a cause or a list. */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { errors, cause, message, name } = error as { errors?: unknown[]; cause?: unknown; message?: string; name?: string };
  const inner = errors?.[0] ?? cause;
  return inner === undefined ? ([message, name].find(Boolean) ?? 'without a reason') : reasonOf(inner);
}
