import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { PodSpec } from '../pod-driver';
import type { PodDirectory } from './pod-directory';

export interface AgentProgram {
  /** The agent's bundle, one JavaScript file. */
  readonly agentPath: string;
  /** Where a pod finds the gateway. */
  readonly gatewayUrl: string;
  /** The address that agents listen on. */
  readonly host: string;
}

/** What an agent inherits from whoever starts it: no more, for the rest of that environment holds secrets. */
const INHERITED = ['PATH', 'LANG', 'TZ'] as const;

/** The whole environment of an agent, as the pod contract has it. */
export function agentEnv(spec: PodSpec, program: AgentProgram, directory: PodDirectory): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  return {
    ...Object.fromEntries(inherited),
    // What tasks keep in their home is part of the workspace, and travels with it.
    HOME: directory.workspaceOf(spec),
    REPRISE_POD: markOf(spec),
    REPRISE_WORKSPACE_ID: spec.workspaceId,
    REPRISE_GENERATION: String(spec.generation),
    REPRISE_POD_TOKEN: spec.token,
    REPRISE_WORKSPACE_DIR: directory.workspaceOf(spec),
    REPRISE_HOST: program.host,
    REPRISE_PORT: '0',
    REPRISE_ADDRESS_FILE: directory.addressFileOf(spec),
    REPRISE_GATEWAY_URL: program.gatewayUrl,
    REPRISE_COMMAND: JSON.stringify(spec.command ?? []),
    REPRISE_ENV: JSON.stringify(spec.env),
    REPRISE_TASK_TIMEOUT_SECONDS: String(spec.taskTimeoutSeconds),
    ...(spec.environment === null ? {} : { REPRISE_ENVIRONMENT: spec.environment }),
    ...(spec.provider === null
      ? {}
      : { REPRISE_PROVIDER_KIND: spec.provider.kind, REPRISE_PROVIDER_CONFIG: JSON.stringify(spec.provider.config) }),
  };
}

/** The mark that every process of a pod inherits. */
export function markOf(pod: { workspaceId: string; generation: number }): string {
  return `${pod.workspaceId}/${pod.generation}`;
}

/**
 * Starts an agent in a session of its own, so that it outlives this process and no signal for this one reaches it.
 * `exited` resolves should it end while this process watches.
 */
export async function startAgent(
  spec: PodSpec,
  program: AgentProgram,
  directory: PodDirectory,
): Promise<{ pid: number; exited: Promise<string> }> {
  const logFile = await open(directory.logFileOf(spec), 'a', 0o600);
  try {
    const child = spawn(process.execPath, [program.agentPath], {
      cwd: directory.of(spec),
      env: agentEnv(spec, program, directory),
      detached: true,
      stdio: ['ignore', logFile.fd, logFile.fd],
    });
    const exited = once(child, 'exit').then(([code, signal]) => `the agent ended with ${String(signal ?? code)}`);
    exited.catch(() => undefined);
    if (child.pid === undefined) throw await exited.catch((error: unknown) => error);
    child.unref();
    return { pid: child.pid, exited };
  } finally {
    await logFile.close();
  }
}

/** The last of what the agent printed: why it did not start. */
export async function lastWords(directory: PodDirectory, pod: PodSpec): Promise<string> {
  const text = await readFile(directory.logFileOf(pod), 'utf8').catch(() => '');
  return text.trim().slice(-1_000);
}
