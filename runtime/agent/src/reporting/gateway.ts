import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** What the gateway is told of a task. */
export interface TaskReport {
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly output?: string;
  readonly reason?: string;
  readonly started_at: string;
  readonly completed_at?: string;
}

/** `again`: nobody answered, or with something that passes. `refused`: this report will never be taken. */
export type ReportAnswer = { outcome: 'taken' } | { outcome: 'refused' | 'again'; why: string };

const TIMEOUT_MS = 10_000;
/** 4xx answers that say "not now" and not "never": a key in rotation, a slow body, too many at once. */
const PASSING = new Set([401, 408, 429]);

/** Sends one report once. Never rejects. */
export function sendReport(gateway: URL, token: string, taskId: string, report: TaskReport, signal: AbortSignal): Promise<ReportAnswer> {
  return new Promise((resolve) => {
    const again = (why: string): void => resolve({ outcome: 'again', why });
    const body = Buffer.from(JSON.stringify(report));
    const request = (gateway.protocol === 'https:' ? httpsRequest : httpRequest)(
      new URL(`${gateway.pathname.replace(/\/+$/, '')}/v1/agent/tasks/${encodeURIComponent(taskId)}`, gateway),
      {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': body.length },
        timeout: TIMEOUT_MS,
        signal,
      },
      (response) => {
        response.resume();
        response.once('error', (error) => again(error.message));
        response.once('end', () => resolve(judge(response.statusCode ?? 0)));
      },
    );
    request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on('error', (error) => again(error.message));
    request.end(body);
  });
}

function judge(status: number): ReportAnswer {
  if (status >= 200 && status < 300) return { outcome: 'taken' };
  const refused = status >= 400 && status < 500 && !PASSING.has(status);
  return { outcome: refused ? 'refused' : 'again', why: `HTTP ${status}` };
}
