import { randomBytes } from 'node:crypto';
import type { OperationView, ProviderView, RoleView, TaskView, WorkspaceView } from '@reprise/contracts';
import { eventually } from './eventually';
import type { Answer, Sending } from './http';
import type { Json } from './json';
import type { Stack } from './stack';

/** A role whose tasks are shell scripts: a scenario's task can do whatever it needs. */
export const SHELL = ['sh'];

const OPERATION_WITHIN_SECONDS = 60;

/** Someone with a token: the bare REST API, and above it the verbs of the main job, each of which expects to succeed. */
export class Caller {
  constructor(
    private readonly stack: Stack,
    readonly org: string,
    readonly sub: string,
    readonly token: string,
  ) {}

  get<T = Json>(path: string, sending?: Sending): Promise<Answer<T>> {
    return this.stack.api.get<T>(path, { token: this.token, ...sending });
  }

  post<T = Json>(path: string, body?: unknown, sending?: Sending): Promise<Answer<T>> {
    return this.stack.api.post<T>(path, body, { token: this.token, ...sending });
  }

  patch<T = Json>(path: string, body?: unknown, sending?: Sending): Promise<Answer<T>> {
    return this.stack.api.patch<T>(path, body, { token: this.token, ...sending });
  }

  send<T = Json>(method: string, path: string, sending?: Sending): Promise<Answer<T>> {
    return this.stack.api.send<T>(method, path, undefined, { token: this.token, ...sending });
  }

  async provider(): Promise<ProviderView> {
    return must(201, await this.post<ProviderView>('/v1/providers', { name: unique('provider'), kind: 'none' }));
  }

  async role({ command = SHELL, ...more }: Record<string, unknown> & { command?: string[]; provider_id?: string } = {}): Promise<RoleView> {
    const provider_id = more.provider_id ?? (await this.provider()).id;
    return must(201, await this.post<RoleView>('/v1/agent-roles', { name: unique('role'), command, ...more, provider_id }));
  }

  /** A new workspace, idle; of the given role, or of a new one that runs shell scripts. */
  async workspace({ role_id }: { role_id?: string } = {}): Promise<WorkspaceView> {
    const made = must(201, await this.post<WorkspaceView>('/v1/workspaces', { role_id: role_id ?? (await this.role()).id }));
    await this.succeeded(made.operation?.id ?? '');
    return this.see(made.id);
  }

  /** The workspace as it is now. On a busy machine lifecycle may not answer within half a second; a 503 asks to repeat the request. */
  async see(id: string): Promise<WorkspaceView> {
    const read = () => this.get<WorkspaceView>(`/v1/workspaces/${id}`);
    const first = await read();
    return must(200, first.status === 503 ? await eventually(async () => available(await read())) : first);
  }

  /** Waits until the workspace has this status. */
  async reach(id: string, status: WorkspaceView['status'], within = 20_000): Promise<WorkspaceView> {
    return eventually(
      async () => {
        const workspace = await this.see(id);
        expect(workspace.status).toBe(status);
        return workspace;
      },
      { within },
    );
  }

  /** Begins a restart, stop or resume. @returns the operation's id */
  async begin(id: string, verb: 'restart' | 'restart?force=true' | 'stop' | 'resume', sending?: Sending): Promise<string> {
    return must(202, await this.post<{ operation_id: string }>(`/v1/workspaces/${id}/${verb}`, undefined, sending)).operation_id;
  }

  restart(id: string): Promise<OperationView> {
    return this.begin(id, 'restart').then((operation) => this.succeeded(operation));
  }

  stop(id: string): Promise<OperationView> {
    return this.begin(id, 'stop').then((operation) => this.succeeded(operation));
  }

  resume(id: string): Promise<OperationView> {
    return this.begin(id, 'resume').then((operation) => this.succeeded(operation));
  }

  async operation(id: string): Promise<OperationView> {
    return must(200, await this.get<OperationView>(`/v1/operations/${id}`));
  }

  /** Waits for the end of an operation, also across answers that do not come: services may be down meanwhile. */
  async ended(id: string): Promise<OperationView> {
    return eventually(
      async () => {
        const operation = must(200, await this.get<OperationView>(`/v1/operations/${id}?wait=10`));
        expect(['succeeded', 'failed']).toContain(operation.status);
        return operation;
      },
      { within: OPERATION_WITHIN_SECONDS * 1000 },
    );
  }

  async succeeded(id: string): Promise<OperationView> {
    const operation = await this.ended(id);
    expect(operation).toMatchObject({ status: 'succeeded' });
    return operation;
  }

  /** Waits until a step of an operation has begun. */
  async inPhase(id: string, phase: string): Promise<void> {
    await eventually(async () => expect((await this.operation(id)).phases.map(({ name }) => name)).toContain(phase), {
      every: 10,
      within: 20_000,
    });
  }

  /** Submits a task. @returns its id */
  async submit(id: string, description: string): Promise<string> {
    return must(202, await this.post<{ task_id: string }>(`/v1/workspaces/${id}/tasks`, { description })).task_id;
  }

  async task(id: string, task: string): Promise<TaskView> {
    return must(200, await this.get<TaskView>(`/v1/workspaces/${id}/tasks/${task}`));
  }

  /** Submits a task and waits until the pod runs it. @returns its id */
  async running(id: string, description: string): Promise<string> {
    const task = await this.submit(id, description);
    await eventually(async () => expect((await this.task(id, task)).status).toBe('running'));
    return task;
  }

  /** Submits a task and waits for its end, however it ends. */
  async run(id: string, description: string): Promise<TaskView> {
    return this.taskEnded(id, await this.submit(id, description));
  }

  async taskEnded(id: string, task: string): Promise<TaskView> {
    return eventually(
      async () => {
        const view = await this.task(id, task);
        expect(view.completed_at).not.toBeNull();
        return view;
      },
      { within: 20_000 },
    );
  }
}

/** @throws Error for a 503 */
function available<T>(answer: Answer<T>): Answer<T> {
  if (answer.status === 503) must(200, answer);
  return answer;
}

/** The body of an answer with this status. */
export function must<T>(status: number, answer: Answer<T>): T {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}
