import { request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { PassThrough, finished, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isByteCount, isCount, isDigest, isName, readJson, readText } from './agent-answers';
import { asAgentError, isConnectionError, notTheAgent, refusal } from './agent-client.errors';
import {
  type AgentAtRest,
  AgentError,
  type AgentHealth,
  type AgentSnapshot,
  type AgentTask,
  type AgentUpload,
  type PodAgent,
  type UploadTarget,
} from './agent-client.types';
import type { Encoding } from '../snapshots/encoding';
import { IN_FLOW } from '../snapshots/flow';
import type { SnapshotLimits } from '../snapshots/limits';
import { speakDownload, speakUpload, uploadOrder } from './agent-transfers';
import { headersOf, type PodCredentials, type SignedContent } from './pod-credentials';

export interface AgentClientOptions {
  /** Base address of the pod's agent, as its handle has it. */
  readonly address: string;
  /** What the agent may accept, the likeliest first. */
  readonly credentials: readonly [PodCredentials, ...PodCredentials[]];
  /** For requests that answer at once. */
  readonly timeoutMs?: number;
  /** For quiesce: it waits for a task's processes to end, and for the last reports. */
  readonly quiesceTimeoutMs?: number;
  /** How long a stream may stand still. */
  readonly idleTimeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const QUIESCE_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 60_000;
/** Of a workspace or a task. */
const LONGEST_ID = 200;
const MAX_HISTORY = 256 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Speaks the pod contract with one pod's agent. Holds no connection between requests. */
export class AgentClient implements PodAgent {
  private readonly base: URL;
  private accepted: Promise<PodCredentials> | undefined;

  constructor(private readonly options: AgentClientOptions) {
    this.base = new URL(options.address);
  }

  async health(): Promise<AgentHealth> {
    const { body } = await this.ask('GET', '/health');
    const { status, workspace_id: workspaceId, generation, task_id: taskId, mode } = body;
    const known = status === 'starting' || status === 'ready' || status === 'quiesced';
    const isKnown = known && isName(workspaceId, LONGEST_ID) && isCount(generation);
    if (!isKnown) throw notTheAgent('its health has another form');
    const salvages = mode === 'salvage' ? ({ salvages: true } as const) : {};
    return { status, workspaceId, generation, taskId: isName(taskId, LONGEST_ID) ? taskId : null, ...salvages };
  }

  async quiesce(reason: string): Promise<AgentAtRest> {
    const timeoutMs = this.options.quiesceTimeoutMs ?? QUIESCE_TIMEOUT_MS;
    const { body } = await this.ask('POST', '/v1/quiesce', { reason }, timeoutMs);
    const { interrupted_task_id: interrupted, interrupted_task_output: output } = body;
    if (interrupted !== null && !isName(interrupted, LONGEST_ID)) throw notTheAgent('its answer to quiesce has another form');
    return { interruptedTaskId: interrupted, ...(typeof output === 'string' ? { interruptedTaskOutput: output } : {}) };
  }

  async resumeWork(): Promise<void> {
    const { body } = await this.ask('POST', '/v1/resume-work', {});
    if (body.status !== 'ready') throw notTheAgent('its answer to resume-work has another form');
  }

  async freeze(): Promise<{ inBackground: number }> {
    const { body } = await this.ask('POST', '/v1/freeze', {}, this.options.quiesceTimeoutMs ?? QUIESCE_TIMEOUT_MS);
    if (!isCount(body.in_background)) throw notTheAgent('its answer to freeze has another form');
    return { inBackground: body.in_background };
  }

  async thaw(): Promise<boolean> {
    const { body } = await this.ask('POST', '/v1/thaw', {});
    if (typeof body.was_frozen !== 'boolean') throw notTheAgent('its answer to thaw has another form');
    return body.was_frozen;
  }

  async snapshot({ entries, bytes, depth }: SnapshotLimits): Promise<AgentSnapshot> {
    const request = await this.open('GET', `/v1/snapshot?max_entries=${entries}&max_bytes=${bytes}&max_depth=${depth}`, { content: '' });
    request.end();
    const response = await this.responseTo(request, this.idleMs);
    if (response.statusCode !== 200) throw refusal(response.statusCode ?? 0, await readJson(response));
    const stream = new PassThrough({ highWaterMark: IN_FLOW });
    finished(stream, () => request.destroy());
    const digest = new Promise<{ sha256: string; entries: number }>((resolve, reject) => {
      finished(response, (error) => {
        const told = error ? asAgentError(error, 'the snapshot broke off') : digestOf(response);
        if (told instanceof AgentError) {
          reject(told);
          stream.destroy(told);
        } else {
          resolve(told);
          stream.end();
        }
      });
    });
    // Whoever reads the stream is told by it; nobody has to wait for the digest as well.
    digest.catch(() => undefined);
    // Ended above, once the digest is there: a stream that ends is a whole snapshot.
    response.pipe(stream, { end: false });
    return { stream, digest };
  }

  async restore(tar: Readable, expected: { sha256: string }): Promise<{ entries: number; bytes: number }> {
    const headers = { 'content-type': 'application/x-tar', 'x-reprise-sha256': expected.sha256 };
    const request = await this.open('PUT', '/v1/restore', { digest: expected.sha256 }, headers);
    const answered = this.responseTo(request, this.idleMs).then(async (response) => this.accept(response));
    // Who has refused it already need not be sent the rest.
    answered.catch(() => tar.destroy());
    try {
      await pipeline(tar, request);
    } catch (error) {
      // Where the agent refused and closed, its answer says more than the broken connection. A tar that failed by itself
      // is neither: then there is no answer, and its own error counts.
      if (isConnectionError(error)) await answered;
      throw error;
    }
    const { entries, bytes, sha256 } = (await answered).body;
    // Whatever answers 200 has not thereby restored anything: only who has read the tar knows what it was.
    if (sha256 !== expected.sha256 || !isCount(entries) || !isByteCount(bytes)) {
      throw notTheAgent('its answer to restore is not about this snapshot');
    }
    return { entries, bytes };
  }

  async upload(to: UploadTarget, limits: SnapshotLimits, signal: AbortSignal): Promise<AgentUpload> {
    const order = uploadOrder(to, limits);
    const request = await this.open('POST', '/v1/snapshot/upload', { content: order }, { 'content-type': 'application/x-ndjson' });
    return this.unlessAborted(request, signal, speakUpload(request, this.responseTo(request, this.idleMs), order, to));
  }

  async download(
    address: string,
    expected: { sha256: string; encoding: Encoding },
    signal: AbortSignal,
  ): Promise<{ entries: number; bytes: number }> {
    const order = JSON.stringify({ address, ...expected });
    const request = await this.open('POST', '/v1/restore/download', { content: order }, { 'content-type': 'application/json' });
    return this.unlessAborted(request, signal, speakDownload(request, this.responseTo(request, this.idleMs), order, expected));
  }

  async runTask(task: AgentTask): Promise<'accepted' | 'already'> {
    const { status, body } = await this.ask('POST', '/v1/tasks', {
      task_id: task.taskId,
      description: task.description,
      ...(task.timeoutSeconds === undefined ? {} : { timeout_seconds: task.timeoutSeconds }),
    });
    if (body.task_id !== task.taskId) throw notTheAgent('its answer is not about this task');
    return status === 202 ? 'accepted' : 'already';
  }

  async cancelTask(taskId: string, reason: string): Promise<boolean> {
    try {
      const { body } = await this.ask('POST', `/v1/tasks/${encodeURIComponent(taskId)}/cancel`, { reason });
      if (body.task_id !== taskId) throw notTheAgent('its answer is not about this task');
      return true;
    } catch (error) {
      if (error instanceof AgentError && error.agentCode === 'not_found') return false;
      throw error;
    }
  }

  async history(): Promise<string> {
    const request = await this.open('GET', '/v1/history', { content: '' });
    request.end();
    const response = await this.responseTo(request, this.idleMs);
    if (response.statusCode !== 200) throw refusal(response.statusCode ?? 0, await readJson(response));
    return readText(response, MAX_HISTORY);
  }

  private get idleMs(): number {
    return this.options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  }

  /** A closed connection is what tells an agent that nobody waits for the transfer any more. */
  private async unlessAborted<T>(request: ClientRequest, signal: AbortSignal, transfer: Promise<T>): Promise<T> {
    const giveUp = (): void => void request.destroy(new AgentError('broken', 'the transfer was given up'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await transfer;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  private async ask(method: string, path: string, body?: Record<string, unknown>, timeoutMs?: number): Promise<Answer> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers: Record<string, string | number> =
      payload === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const request = await this.open(method, path, { content: payload }, headers);
    request.end(payload);
    return this.accept(await this.responseTo(request, timeoutMs ?? this.options.timeoutMs ?? TIMEOUT_MS));
  }

  private async accept(response: IncomingMessage): Promise<Answer> {
    const status = response.statusCode ?? 0;
    const body = await readJson(response);
    if (status < 200 || status >= 300) throw refusal(status, body);
    if (body === null) throw notTheAgent('its answer is not JSON');
    return { status, body };
  }

  private async open(
    method: string,
    path: string,
    content: SignedContent,
    headers: Record<string, string | number> = {},
  ): Promise<ClientRequest> {
    const isOpen = path === '/health';
    return this.send(method, path, content, headers, isOpen ? this.options.credentials[0] : await this.acceptedOnes());
  }

  private send(
    method: string,
    path: string,
    content: SignedContent,
    headers: Record<string, string | number>,
    credentials: PodCredentials,
  ): ClientRequest {
    const url = new URL(path, this.base);
    // The last goes to the socket, and has no place in the types of a request.
    const options: RequestOptions & { highWaterMark: number } = {
      method,
      // A connection of its own: one kept open may be closed by the agent just as it is used again.
      agent: false,
      headers: { ...headers, ...headersOf(credentials, method, `${url.pathname}${url.search}`, content) },
      highWaterMark: IN_FLOW,
    };
    return httpRequest(url, options);
  }

  /** The credentials that the agent takes. It is asked only where there is a choice: while a secret is exchanged. */
  private acceptedOnes(): Promise<PodCredentials> {
    const [first, ...others] = this.options.credentials;
    if (others.length === 0) return Promise.resolve(first);
    this.accepted ??= this.probe(first, others).catch((error: unknown) => {
      this.accepted = undefined;
      throw error;
    });
    return this.accepted;
  }

  private async probe(first: PodCredentials, others: readonly PodCredentials[]): Promise<PodCredentials> {
    for (const credentials of [first, ...others]) {
      // No agent has this route, and each says so only to whom it accepts.
      const request = this.send('GET', '/v1/accepted', { content: '' }, {}, credentials);
      request.end();
      const response = await this.responseTo(request, this.options.timeoutMs ?? TIMEOUT_MS);
      response.resume();
      if (response.statusCode !== 401) return credentials;
    }
    // Refused with any of them: the request itself is told why.
    return first;
  }

  /** The head of the answer. From here on a silence of that long destroys the request, before the answer and within it. */
  private responseTo(request: ClientRequest, silenceMs: number): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request.setTimeout(silenceMs, () => request.destroy(new AgentError('timeout', `nothing moved for ${silenceMs} ms`)));
      request.once('response', resolve);
      request.on('error', (error) => reject(asAgentError(error, 'no answer')));
    });
  }
}

function digestOf(response: IncomingMessage): { sha256: string; entries: number } | AgentError {
  const { 'x-reprise-sha256': sha256, 'x-reprise-entries': entries } = response.trailers;
  if (sha256 === undefined || entries === undefined) return new AgentError('broken', 'the snapshot came without its digest');
  const count = /^[0-9]{1,10}$/.test(entries) ? Number(entries) : null;
  return isDigest(sha256) && isCount(count) ? { sha256, entries: count } : notTheAgent('the trailers of its snapshot have another form');
}
