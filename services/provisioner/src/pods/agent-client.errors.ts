import { AgentError } from './agent-client.types';

const CODE = /^[a-z][a-z_]{0,63}$/;
const LONGEST_MESSAGE = 1_000;
const MOST_DETAILS = 8;

/** An answer that is an error of the contract, or no answer of the contract at all. */
export function refusal(status: number, body: Record<string, unknown> | null): AgentError {
  const { code, message, details } = (body?.error ?? {}) as { code?: unknown; message?: unknown; details?: unknown };
  const isError = status >= 400 && status < 600 && typeof code === 'string' && CODE.test(code);
  if (!isError) return notTheAgent(`HTTP ${status} without an error of the contract`);
  const said = typeof message === 'string' ? message.slice(0, LONGEST_MESSAGE) : 'no message';
  return new AgentError(status >= 500 ? 'failed' : 'refused', `${code}: ${said}`, {
    status,
    code,
    ...(typeof details === 'object' && details !== null ? { details: shortened(details) } : {}),
  });
}

/** What is told of an error is a few numbers and short texts. */
function shortened(details: object): Record<string, unknown> {
  const some = Object.entries(details).slice(0, MOST_DETAILS);
  return Object.fromEntries(
    some.flatMap(([name, value]: [string, unknown]) => {
      const isShort =
        (typeof value === 'string' && value.length <= LONGEST_MESSAGE) || typeof value === 'number' || typeof value === 'boolean';
      return isShort && name.length <= 64 ? [[name, value]] : [];
    }),
  );
}

export function notTheAgent(why: string): AgentError {
  return new AgentError('bad_answer', why);
}

const NO_CONNECTION: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']);
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/** Whether the connection failed, not what was sent over it. */
export function isConnectionError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  return error instanceof AgentError || NO_CONNECTION.has(code) || BROKEN.has(code);
}

/** Whatever node:http fails with, as one of the closed set. */
export function asAgentError(error: unknown, doing: string): AgentError {
  if (error instanceof AgentError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && NO_CONNECTION.has(code)) return new AgentError('unreachable', `${doing}: ${code}`, undefined, { cause: error });
  if (code !== undefined && BROKEN.has(code)) return new AgentError('broken', `${doing}: ${code}`, undefined, { cause: error });
  return new AgentError('bad_answer', `${doing}: ${message}`, undefined, { cause: error });
}
