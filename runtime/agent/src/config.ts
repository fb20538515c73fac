import type { KeyObject } from 'node:crypto';
import { publicKeysIn } from './http/control-guard';
import { readMembership, type Membership } from './processes/membership';

/** What a pod is told at its start, all of it by environment (docs/pod-contract.md). */
export interface AgentConfig {
  readonly workspaceId: string;
  readonly generation: number;
  /** Shown to the gateway. Tasks can read it: it gives no power over the agent, unless no control keys are given. */
  readonly token: string;
  /** The public keys of whoever may control the agent; none where that is whoever has the token. */
  readonly controlKeys: readonly KeyObject[];
  readonly workspaceDir: string;
  /** `salvage`: the pod is dead, and the agent only serves a snapshot of what it left. */
  readonly mode: 'pod' | 'salvage';
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Where `{pid, port}` is written once the agent listens, or null. */
  readonly addressFile: string | null;
  readonly gatewayUrl: URL;
  /** What a task runs; empty where the role has no command. */
  readonly command: readonly string[];
  readonly taskTimeoutSeconds: number;
  /** The environment of every task, complete but for the task's own id. */
  readonly taskEnv: Readonly<Record<string, string>>;
  /** The mark by which every process of this pod can be found: `<workspace>/<generation>`. */
  readonly podMark: string;
  /** How the processes of this pod are told from others. */
  readonly membership: Membership;
}

/** One line for each value that is missing or wrong; never the value of the token. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** What a task inherits from the agent's own environment: how to find programs, and how to write text and times. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ'] as const;
/** The agent's own settings: a task has no business with its token or its address. */
const TOLD_TO_TASKS = ['REPRISE_WORKSPACE_ID', 'REPRISE_ENVIRONMENT', 'REPRISE_PROVIDER_KIND', 'REPRISE_PROVIDER_CONFIG'] as const;

/** @throws ConfigError naming every wrong value at once */
export function readConfig(env: Readonly<Record<string, string | undefined>>): AgentConfig {
  const problems: string[] = [];
  /** Empty is as good as absent. */
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const required = (name: string): string => {
    const value = given(name);
    if (value === undefined) problems.push(`${name} is required`);
    return value ?? '';
  };
  const integer = (name: string, fallback: string | undefined, min: number, max: number): number => {
    const text = given(name) ?? fallback ?? '';
    const value = Number(text);
    if (/^[0-9]{1,15}$/.test(text) && value >= min && value <= max) return value;
    problems.push(`${name} must be a whole number from ${min} to ${max}`);
    return min;
  };

  const workspaceId = required('REPRISE_WORKSPACE_ID');
  const generation = integer('REPRISE_GENERATION', undefined, 1, Number.MAX_SAFE_INTEGER);
  const podMark = given('REPRISE_POD') ?? `${workspaceId}/${generation}`;
  const token = required('REPRISE_POD_TOKEN');
  const workspaceDir = required('REPRISE_WORKSPACE_DIR').replace(/(?<=.)\/+$/, '');
  if (workspaceDir && !workspaceDir.startsWith('/')) problems.push('REPRISE_WORKSPACE_DIR must be an absolute path');

  const mode = given('REPRISE_MODE') ?? 'pod';
  if (mode !== 'pod' && mode !== 'salvage') problems.push('REPRISE_MODE must be pod or salvage');

  const config: AgentConfig = {
    workspaceId,
    generation,
    token,
    controlKeys: controlKeys(given('REPRISE_CONTROL_KEYS'), problems),
    workspaceDir,
    mode: mode === 'salvage' ? 'salvage' : 'pod',
    host: given('REPRISE_HOST') ?? '127.0.0.1',
    port: integer('REPRISE_PORT', '0', 0, 65_535),
    addressFile: given('REPRISE_ADDRESS_FILE') ?? null,
    gatewayUrl: url('REPRISE_GATEWAY_URL', required('REPRISE_GATEWAY_URL'), problems),
    command: command(given('REPRISE_COMMAND') ?? '[]', problems),
    taskTimeoutSeconds: integer('REPRISE_TASK_TIMEOUT_SECONDS', '3600', 1, 31_536_000),
    taskEnv: {
      ...pick(env, INHERITED),
      ...roleEnv(given('REPRISE_ENV') ?? '{}', problems),
      ...pick(env, TOLD_TO_TASKS),
      REPRISE_POD: podMark,
    },
    podMark,
    membership: readMembership(given('REPRISE_PROCESSES'), problems),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function pick(env: Readonly<Record<string, string | undefined>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function url(name: string, text: string, problems: string[]): URL {
  const fallback = new URL('http://127.0.0.1');
  if (!text) return fallback;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    problems.push(`${name} must be an http or https address`);
    return fallback;
  }
  return new URL(text);
}

function controlKeys(list: string | undefined, problems: string[]): KeyObject[] {
  const keys = list === undefined ? [] : publicKeysIn(list);
  if (keys === null) problems.push('REPRISE_CONTROL_KEYS must be a list of Ed25519 public keys, base64url, with commas between');
  return keys ?? [];
}

function command(text: string, problems: string[]): string[] {
  const value = json(text);
  // A NUL cannot be passed to a process; better said here than at the first task.
  if (Array.isArray(value) && value.every((word) => typeof word === 'string' && !word.includes('\0'))) return value as string[];
  problems.push('REPRISE_COMMAND must be a JSON array of strings');
  return [];
}

function roleEnv(text: string, problems: string[]): Record<string, string> {
  const value = json(text);
  const entries = value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : null;
  if (entries?.every(([name, it]) => typeof it === 'string' && !/[=\0]/.test(name) && name !== '' && !it.includes('\0'))) {
    return value as Record<string, string>;
  }
  problems.push('REPRISE_ENV must be a JSON object of strings');
  return {};
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
