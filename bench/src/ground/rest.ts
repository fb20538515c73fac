import { setTimeout as sleep } from 'node:timers/promises';

export interface Operation {
  readonly id: string;
  readonly status: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly phases: readonly { readonly name: string; readonly started_at: string; readonly finished_at: string | null }[];
}

/** How long a step took, in milliseconds, by the timeline. @throws Error where the operation had none of this name that ended */
export function stepMs({ id, phases }: Operation, name: string): number {
  const found = phases.find((each) => each.name === name);
  if (!found?.finished_at) throw new Error(`Operation ${id} has no ${name}`);
  return Date.parse(found.finished_at) - Date.parse(found.started_at);
}

/** Someone of a tenant at the gateway, as any client is. */
export class Rest {
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  /** @returns the id of the workspace, which is idle */
  async create(role: string): Promise<string> {
    const { id, operation } = await this.ask<{ id: string; operation: { id: string } }>('POST', '/v1/workspaces', { role_name: role });
    await this.ended(operation.id);
    return id;
  }

  /** @returns the operation when it has succeeded */
  async operate(verb: 'restart' | 'stop' | 'resume', workspace: string): Promise<Operation> {
    return this.ended(await this.accepted(verb, workspace));
  }

  /** @returns the id of the operation, which is accepted and no more */
  async accepted(verb: 'restart' | 'stop' | 'resume', workspace: string): Promise<string> {
    const { operation_id } = await this.ask<{ operation_id: string }>('POST', `/v1/workspaces/${workspace}/${verb}`);
    return operation_id;
  }

  /** @throws Error where it has failed */
  private async ended(operation: string): Promise<Operation> {
    for (;;) {
      const found = await this.ask<Operation>('GET', `/v1/operations/${operation}?wait=30`);
      if (found.status === 'succeeded') return found;
      if (found.status === 'failed') throw new Error(`Operation ${operation} has failed: ${found.error?.code}: ${found.error?.message}`);
      await sleep(1);
    }
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${this.token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const answer = await fetch(`${this.url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }
}
