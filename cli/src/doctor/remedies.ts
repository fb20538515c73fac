import { dirname, join } from 'node:path';
import type { ServiceStatus } from '../status/services';

/** How this instance is run, as far as the settings tell. */
export interface Place {
  /** The state folder of an instance that `npm start` runs; null for any other. */
  stateFolder: string | null;
  gatewayUrl: string | null;
  /** Whether tokens can be signed here. */
  signsTokens: boolean;
}

export function placeOf(environment: { get(name: string): string | undefined; file: string | undefined }): Place {
  const embedded = environment.file !== undefined && environment.get('INSTANCE_ID') !== undefined;
  return {
    stateFolder: embedded ? dirname(environment.file!) : null,
    gatewayUrl: environment.get('GATEWAY_URL') ?? null,
    signsTokens: environment.get('JWT_PRIVATE_KEY_FILE') !== undefined,
  };
}

/** The commands that help, as they are typed where this instance runs. */
export class Remedies {
  constructor(private readonly place: Place) {}

  reprise(args: string): string {
    return `${this.place.stateFolder === null ? 'reprise' : 'npx reprise'} ${args}`;
  }

  resume(workspace: { id: string; org_id: string }): string {
    const token = this.place.signsTokens
      ? `$(${this.reprise(`token --org ${quoted(workspace.org_id)} --sub operator --permissions tasks:write`)})`
      : `$TOKEN`;
    const gateway = this.place.gatewayUrl ?? '$GATEWAY_URL';
    const call = `curl -X POST ${gateway}/v1/workspaces/${workspace.id}/resume -H "Authorization: Bearer ${token}"`;
    return this.place.signsTokens ? call : `${call}   (a token of ${workspace.org_id} with tasks:write)`;
  }

  /** One that does not answer though its process lives, or is said to. */
  restart({ name, pid }: Pick<ServiceStatus, 'name' | 'pid'>): string {
    if (this.place.stateFolder === null) return `restart ${name}; its log says what it waits for`;
    return pid === null
      ? `npm start; the log is ${this.logOf(name)}`
      : `kill -9 ${pid}; it is started again, and its log is ${this.logOf(name)}`;
  }

  log(name: string): string {
    return this.place.stateFolder === null ? `look at the log of ${name}` : `tail -n 50 ${this.logOf(name)}`;
  }

  private logOf(name: string): string {
    return join(this.place.stateFolder ?? '', 'logs', `${name}.log`);
  }
}

/** For a shell: an org's name may hold anything printable. */
function quoted(text: string): string {
  return /^[\w.:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
