/** The exit codes of the command, for scripts. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What stands against it, as a service told it. */
export interface Told {
  readonly code: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** An end that is not a defect: its message is the line on standard error, its code the exit code. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.failed,
    readonly told?: Told,
  ) {
    super(message);
  }
}

const CODES: Readonly<Record<ExitCode, string>> = { 0: 'ok', 1: 'failed', 2: 'usage', 3: 'unreachable' };

/**
 * A failure as it is written to standard error: for a program one JSON object, `{"error": {"code", "message", "details"}}`, where `code` is the
 * service's own or `failed`, `usage`, `unreachable`; for a person lines.
 */
export function written({ message, exitCode, told }: Pick<Failure, 'message' | 'exitCode' | 'told'>, json: boolean): string {
  const details = told?.details ?? {};
  const some = Object.keys(details).length > 0;
  if (json) return `${JSON.stringify({ error: { code: told?.code ?? CODES[exitCode], message, ...(some ? { details } : {}) } })}\n`;
  const lines = Object.entries(details).map(([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
  return `reprise: ${message}\n${lines.join('')}`;
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
