import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { asAgentError, notTheAgent } from './agent-client.errors';

/** What an agent answers is short, but for the streams. The longest is what an interrupted task had printed, however it is escaped. */
const MAX_JSON = 4 * 1024 * 1024;

/** What the tables and the messages have room for: a count is stored as PostgreSQL's integer. */
const MOST_COUNTED = 2 ** 31 - 1;

/** Whether it is a whole number that can be recorded: of things, or of bytes. A task may stand in for its agent and say anything. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_COUNTED;
}

export function isByteCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** A text of one line that is no longer than this. */
export function isName(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longest && !/\p{Cc}/u.test(value);
}

/** A field that is to be an object itself. @throws AgentError `bad_answer` */
export function objectIn(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw notTheAgent(`${what} has another form`);
  return value as Record<string, unknown>;
}

export async function readJson(response: IncomingMessage): Promise<Record<string, unknown> | null> {
  return objectOf(await readText(response, MAX_JSON));
}

export async function readText(response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw notTheAgent(`its answer has more than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw asAgentError(error, 'the answer broke off');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** An answer that is told as it comes about, a JSON object a line. @throws AgentError */
export async function* readLines(response: IncomingMessage): AsyncGenerator<Record<string, unknown>> {
  let text = '';
  const decoder = new StringDecoder('utf8');
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (text + decoder.write(chunk)).split('\n');
      text = lines.pop() ?? '';
      if (text.length > MAX_JSON) throw notTheAgent(`a line of its answer has more than ${MAX_JSON} bytes`);
      for (const line of lines) {
        const value = objectOf(line);
        if (value === null) throw notTheAgent('a line of its answer is not JSON');
        yield value;
      }
    }
  } catch (error) {
    throw asAgentError(error, 'the answer broke off');
  }
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
