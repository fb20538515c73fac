import type { IncomingMessage } from 'node:http';
import { asAgentError, notTheAgent } from './agent-client.errors';

/** What an agent answers is short, but for the streams. The longest is what an interrupted task had printed, however it is escaped. */
const MAX_JSON = 4 * 1024 * 1024;

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
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      const lines = (text + chunk.toString('utf8')).split('\n');
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
