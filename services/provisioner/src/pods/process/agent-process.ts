import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { agentEnvironment, type AgentMode } from '../agent-environment';
import { asUser } from './as-user';
import type { PodSpec } from '../pod-driver';
import type { PodDirectory } from './pod-directory';
import type { Isolation } from './isolation-kinds';

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

/** The whole environment of an agent. */
function environmentOf(
  spec: PodSpec,
  program: AgentProgram,
  directory: PodDirectory,
  { by }: Isolation,
  mode: AgentMode,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  const place = {
    workspaceDir: directory.workspaceOf(spec),
    host: program.host,
    port: 0,
    gatewayUrl: program.gatewayUrl,
    addressFile: directory.addressFileOf(spec),
    ...(by === 'environment' ? {} : { processes: by }),
    mode,
  };
  return { ...Object.fromEntries(inherited), ...agentEnvironment(spec, place) };
}

/**
 * Starts an agent in a session of its own, so that it outlives this process and no signal for this one reaches it.
 * `exited` resolves should it end while this process watches.
 */
export async function startAgent(
  spec: PodSpec,
  program: AgentProgram,
  directory: PodDirectory,
  isolation: Isolation,
  mode?: AgentMode,
): Promise<{ pid: number; exited: Promise<string> }> {
  const logFile = await open(directory.logFileOf(spec), 'a', 0o600);
  try {
    const command = [process.execPath, program.agentPath] as const;
    const [file, ...args] = isolation.by === 'user' ? asUser(isolation.uid, command) : command;
    const child = spawn(file, args, {
      cwd: directory.of(spec),
      env: environmentOf(spec, program, directory, isolation, mode),
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
