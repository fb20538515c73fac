import { AgentError } from './agent-client.types';

/** An answer that is an error of the contract, or no answer of the contract at all. */
export function refusal(status: number, body: Record<string, unknown> | null): AgentError {
  const { code, message, details } = (body?.error ?? {}) as { code?: unknown; message?: unknown; details?: unknown };
  if (typeof code !== 'string') return notTheAgent(`HTTP ${status} without an error of the contract`);
  return new AgentError(status >= 500 ? 'failed' : 'refused', `${code}: ${String(message)}`, {
    status,
    code,
    ...(typeof details === 'object' && details !== null ? { details: details as Record<string, unknown> } : {}),
  });
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
