import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { agentEnvironment, type AgentMode } from '../agent-environment';
import { asUser } from './as-user';
import type { PodSpec } from '../pod-driver';
import type { PodDirectory } from './pod-directory';
import { inCgroup, makeCgroup } from './cgroups';
import { inNamespaces } from './in-namespaces';
import { type Isolation, membershipOf } from './isolation-kinds';
import { viewOf, type ViewSettings } from './namespace-view';
import type { Launched, ProcessLauncher } from './process-launcher';

export interface AgentProgram {
  /** The agent's bundle, one JavaScript file. */
  readonly agentPath: string;
  /** Where a pod finds the gateway. */
  readonly gatewayUrl: string;
  /** The address that agents listen on. */
  readonly host: string;
  /** What it sees of the machine, where it is in namespaces of its own. */
  readonly view: ViewSettings;
}

/** What an agent inherits from whoever starts it: no more, for the rest of that environment holds secrets. */
const INHERITED = ['PATH', 'LANG', 'TZ'] as const;

/** The whole environment of an agent. */
async function environmentOf(
  spec: PodSpec,
  program: AgentProgram,
  directory: PodDirectory,
  isolation: Isolation,
  mode: AgentMode,
): Promise<Record<string, string>> {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  const place = {
    workspaceDir: directory.workspaceOf(spec),
    host: program.host,
    port: 0,
    gatewayUrl: program.gatewayUrl,
    addressFile: directory.addressFileOf(spec),
    processes: membershipOf(isolation),
    mode,
    mark: await directory.markOf(spec),
  };
  return { ...Object.fromEntries(inherited), ...agentEnvironment(spec, place) };
}

/**
 * Starts an agent in a session of its own, so that it outlives this process and no signal for this one reaches it. The process is the agent itself or, for
 * one in namespaces of its own, what stands outside of them.
 */
export async function startAgent(
  spec: PodSpec,
  program: AgentProgram,
  directory: PodDirectory,
  isolation: Isolation,
  launcher: ProcessLauncher,
  mode?: AgentMode,
): Promise<Launched> {
  const environment = await environmentOf(spec, program, directory, isolation, mode);
  const { env, command } = await commandOf(spec, program, directory, isolation, environment);
  return launcher.start({ command, cwd: directory.of(spec), env, logFile: directory.logFileOf(spec) });
}

interface Started {
  readonly env: Record<string, string>;
  readonly command: readonly [string, ...string[]];
}

/** What is run, and with which environment, so that the agent is isolated in this way. */
async function commandOf(
  spec: PodSpec,
  { agentPath, view }: AgentProgram,
  directory: PodDirectory,
  isolation: Isolation,
  env: Record<string, string>,
): Promise<Started> {
  const agent: [string, ...string[]] = [process.execPath, agentPath];
  switch (isolation.by) {
    case 'environment':
      return { env, command: agent };
    case 'user':
      return { env, command: asUser(isolation.uid, agent) };
    case 'cgroup':
      await makeCgroup(isolation.directory);
      return { env, command: inCgroup(isolation.directory, agent) };
    case 'namespace': {
      // By this variable the agent is told from what it is started by.
      const { REPRISE_ADDRESS_FILE: addressFile = '', ...common } = env;
      const [temporary, stage] = [join(directory.of(spec), 'tmp'), join(directory.of(spec), 'stage')];
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      const own = { workspace: directory.workspaceOf(spec), told: dirname(addressFile), temporary };
      const seen = await viewOf({ ...view, agentPath }, own);
      return { env: common, command: await inNamespaces(seen, stage, { REPRISE_ADDRESS_FILE: addressFile }, agent) };
    }
  }
}

/** The last of what the agent printed: why it did not start. */
export async function lastWords(directory: PodDirectory, pod: PodSpec): Promise<string> {
  const text = await readFile(directory.logFileOf(pod), 'utf8').catch(() => '');
  return text.trim().slice(-1_000);
}
