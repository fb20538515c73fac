import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Agent } from '../agent';
import type { AgentConfig } from '../config';
import { AgentError } from '../errors';
import { log } from '../log';
import { integerField, readJson, textField } from './body';
import { directRoutes } from './direct-routes';

export interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Health alone is answered without the token. */
  readonly open?: true;
  readonly handle: (request: IncomingMessage, response: ServerResponse, parameter: string) => Promise<void>;
}

const MAX_DESCRIPTION = 1024 * 1024;
const MAX_TIMEOUT_SECONDS = 31_536_000;

/** The pod contract, as in docs/pod-contract.md. */
export function routes(agent: Agent, config: AgentConfig): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/health$/,
      open: true,
      handle: (_request, response) => {
        answer(response, 200, {
          status: agent.status,
          workspace_id: config.workspaceId,
          generation: config.generation,
          task_id: agent.taskId,
        });
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/quiesce$/,
      handle: async (request, response) => {
        const { interruptedTaskId } = await agent.quiesce(textField(await readJson(request), 'reason', 200));
        answer(response, 200, { interrupted_task_id: interruptedTaskId });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/resume-work$/,
      handle: async (_request, response) => {
        await agent.resumeWork();
        answer(response, 200, { status: agent.status });
      },
    },
    { method: 'GET', path: /^\/v1\/snapshot$/, handle: (_request, response) => snapshot(agent, response) },
    { method: 'PUT', path: /^\/v1\/restore$/, handle: (request, response) => restore(agent, request, response) },
    ...directRoutes(agent),
    {
      method: 'POST',
      path: /^\/v1\/tasks$/,
      handle: async (request, response) => {
        const body = await readJson(request);
        const taskId = textField(body, 'task_id', 100);
        if (!/^[A-Za-z0-9_-]+$/.test(taskId)) throw new AgentError('bad_request', 'task_id must be of letters, digits, _ and -');
        const description = textField(body, 'description', MAX_DESCRIPTION);
        const timeoutSeconds = integerField(body, 'timeout_seconds', 1, MAX_TIMEOUT_SECONDS);
        const taken = agent.runTask({ taskId, description, timeoutSeconds });
        answer(response, taken === 'accepted' ? 202 : 200, { task_id: taskId });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/tasks\/([^/]+)\/cancel$/,
      handle: async (request, response, taskId) => {
        agent.cancelTask(taskId, textField(await readJson(request), 'reason', 200));
        answer(response, 202, { task_id: taskId });
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/history$/,
      handle: async (_request, response) => {
        const lines = await agent.history();
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        await pipeline(lines, response);
      },
    },
  ];
}

/** The digest comes after the bytes, in trailers; without them the snapshot is not whole. */
async function snapshot(agent: Agent, response: ServerResponse): Promise<void> {
  const result = await agent.snapshot(() => {
    response.writeHead(200, { 'content-type': 'application/x-tar', trailer: 'x-reprise-sha256, x-reprise-entries, x-reprise-skipped' });
    return response;
  });
  if (result.skippedCount > 0) {
    log('warn', 'sockets, fifos and devices are not part of a snapshot', { count: result.skippedCount, paths: result.skipped });
  }
  response.addTrailers({
    'x-reprise-sha256': result.sha256,
    'x-reprise-entries': String(result.entries),
    'x-reprise-skipped': String(result.skippedCount),
  });
  response.end();
}

async function restore(agent: Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const sha256 = request.headers['x-reprise-sha256'];
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new AgentError('bad_request', 'x-reprise-sha256 must be the hex digest of the tar');
  }
  answer(response, 200, { ...(await agent.restore(request, sha256)) });
}

export function answer(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
