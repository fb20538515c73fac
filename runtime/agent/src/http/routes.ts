import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Agent } from '../agent';
import type { AgentConfig } from '../config';
import { AgentError } from '../errors';
import { log } from '../log';
import { integerField, limitsIn, readJson, textField } from './body';
import { refused } from './control-guard';
import { directRoutes } from './direct-routes';

export interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Health alone is answered without the token. */
  readonly open?: true;
  readonly handle: (request: IncomingMessage, response: ServerResponse, asked: Asked) => Promise<void>;
}

export interface Asked {
  /** What the path names. */
  readonly parameter: string;
  /** The digest that the content must have, where it is signed. */
  readonly content: string | null;
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
          ...(config.mode === 'salvage' ? { mode: 'salvage' } : {}),
        });
        return Promise.resolve();
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/quiesce$/,
      handle: async (request, response, { content }) => {
        const { interruptedTaskId, interruptedTaskOutput: output } = await agent.quiesce(
          textField(await readJson(request, content), 'reason', 200),
        );
        answer(response, 200, {
          interrupted_task_id: interruptedTaskId,
          ...(output === undefined ? {} : { interrupted_task_output: output }),
        });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/freeze$/,
      handle: async (request, response, { content }) => {
        await readJson(request, content);
        const { inBackground } = await agent.freeze();
        answer(response, 200, { in_background: inBackground });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/thaw$/,
      handle: async (request, response, { content }) => {
        await readJson(request, content);
        answer(response, 200, { was_frozen: agent.thaw() });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/resume-work$/,
      handle: async (request, response, { content }) => {
        await readJson(request, content);
        await agent.resumeWork();
        answer(response, 200, { status: agent.status });
      },
    },
    { method: 'GET', path: /^\/v1\/snapshot$/, handle: (request, response) => snapshot(agent, request, response) },
    { method: 'PUT', path: /^\/v1\/restore$/, handle: (request, response, { content }) => restore(agent, request, response, content) },
    ...directRoutes(agent),
    {
      method: 'POST',
      path: /^\/v1\/tasks$/,
      handle: async (request, response, { content }) => {
        const body = await readJson(request, content);
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
      handle: async (request, response, { parameter: taskId, content }) => {
        agent.cancelTask(taskId, textField(await readJson(request, content), 'reason', 200));
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
async function snapshot(agent: Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const query = new URL(request.url ?? '/', 'http://agent').searchParams;
  const limits = limitsIn((name) => (query.has(name) ? Number(query.get(name)) : undefined));
  const result = await agent.snapshot(limits, () => {
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

async function restore(agent: Agent, request: IncomingMessage, response: ServerResponse, signed: string | null): Promise<void> {
  const sha256 = request.headers['x-reprise-sha256'];
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new AgentError('bad_request', 'x-reprise-sha256 must be the hex digest of the tar');
  }
  // The content of this request is the tar, whose digest is checked before anything is moved in place.
  if (signed !== null && signed !== sha256) throw refused('its digest is not what was signed');
  answer(response, 200, { ...(await agent.restore(request, sha256)) });
}

export function answer(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
