import type { PodIdentity, PodSpec } from './pod-driver';

/** `salvage`: the agent serves what a dead pod has left, and nothing else. */
export type AgentMode = 'salvage' | undefined;

/** Where an agent is put, as its driver decides. */
export interface AgentPlace {
  readonly workspaceDir: string;
  /** The address and port that it listens on. */
  readonly host: string;
  readonly port: number;
  /** Where it finds the gateway. */
  readonly gatewayUrl: string;
  readonly mode?: AgentMode;
  /** What every process of the pod inherits; that of the pod's name where the pod is a world of its own. */
  readonly mark?: string;
  /** Where it writes its address, for a driver that does not know it beforehand. */
  readonly addressFile?: string;
  /** How it tells the pod's processes from others, where it is not by the mark in their environment. */
  readonly processes?: string | undefined;
}

/** What an agent is told, as the pod contract has it (docs/pod-contract.md, section 1). */
export function agentEnvironment(spec: PodSpec, place: AgentPlace): Record<string, string> {
  return {
    // What tasks keep in their home is part of the workspace, and travels with it.
    HOME: place.workspaceDir,
    REPRISE_POD: place.mark ?? markOf(spec),
    REPRISE_WORKSPACE_ID: spec.workspaceId,
    REPRISE_GENERATION: String(spec.generation),
    REPRISE_POD_TOKEN: spec.token,
    ...(spec.controlKeys.length === 0 ? {} : { REPRISE_CONTROL_KEYS: spec.controlKeys.join(',') }),
    REPRISE_WORKSPACE_DIR: place.workspaceDir,
    REPRISE_HOST: place.host,
    REPRISE_PORT: String(place.port),
    ...(place.addressFile === undefined ? {} : { REPRISE_ADDRESS_FILE: place.addressFile }),
    ...(place.processes === undefined ? {} : { REPRISE_PROCESSES: place.processes }),
    REPRISE_GATEWAY_URL: place.gatewayUrl,
    ...(place.mode === undefined ? {} : { REPRISE_MODE: place.mode }),
    REPRISE_COMMAND: JSON.stringify(spec.command ?? []),
    REPRISE_ENV: JSON.stringify(spec.env),
    REPRISE_TASK_TIMEOUT_SECONDS: String(spec.taskTimeoutSeconds),
    ...(spec.environment === null ? {} : { REPRISE_ENVIRONMENT: spec.environment }),
    ...(spec.provider === null
      ? {}
      : { REPRISE_PROVIDER_KIND: spec.provider.kind, REPRISE_PROVIDER_CONFIG: JSON.stringify(spec.provider.config) }),
  };
}

/** The mark that every process of a pod inherits, where no pods of others are beside it. */
export function markOf(pod: PodIdentity): string {
  return `${pod.workspaceId}/${pod.generation}`;
}
