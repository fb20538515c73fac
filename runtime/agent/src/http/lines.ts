import type { IncomingMessage, ServerResponse } from 'node:http';
import { AgentError, errorBody } from '../errors';
import { messageOf } from '../log';
import { assertContent } from './control-guard';

/** Work that takes long must not look like a dead connection. */
const ALIVE_EVERY_MS = 10_000;
const LONGEST_LINE = 64 * 1024;

/** An answer that is told as it comes about, a JSON object a line. Its head goes with the first one: what fails before is answered by its status. */
export class LineAnswer {
  private readonly timer = setInterval(() => this.write({ alive: true }), ALIVE_EVERY_MS);

  constructor(private readonly response: ServerResponse) {
    response.once('close', () => clearInterval(this.timer));
  }

  write(line: Record<string, unknown>): void {
    if (this.response.destroyed) return;
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    this.response.write(`${JSON.stringify(line)}\n`);
  }

  /** Ends with what the work came to. @throws what it failed with, where nothing was answered before */
  async end(work: Promise<Record<string, unknown>>): Promise<void> {
    try {
      this.write({ done: await work });
    } catch (error) {
      if (!this.response.headersSent) throw error;
      const known = error instanceof AgentError ? error : new AgentError('internal_error', messageOf(error));
      this.write({ error: errorBody(known), status: known.status });
    } finally {
      clearInterval(this.timer);
    }
    this.response.end();
  }
}

/**
 * The request's lines, as they come.
 * @param signed the digest that the first line must have, if any: it is the order, and the rest only answers what the agent asks
 * @throws AgentError `bad_request`, `unauthorized`
 */
export async function* linesOf(request: IncomingMessage, signed: string | null): AsyncGenerator<Record<string, unknown>> {
  let text = '';
  let isFirst = true;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const lines = (text + chunk.toString('utf8')).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (isFirst) assertContent(line, signed);
      isFirst = false;
      yield objectOf(line);
    }
    if (text.length > LONGEST_LINE) throw new AgentError('bad_request', `a line may have ${LONGEST_LINE} characters at most`);
  }
}

function objectOf(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new AgentError('bad_request', 'each line must be a JSON object');
}
