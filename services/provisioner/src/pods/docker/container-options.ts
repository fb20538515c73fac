import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import { agentEnvironment, type AgentMode } from '../agent-environment';
import type { PodIdentity, PodSpec } from '../pod-driver';
import { AGENT_DIR } from './agent-volume';
import type { Names } from './names';

/** What a role that does not say otherwise is held to. */
export interface PodDefaults {
  readonly memoryMb: number;
  readonly cpus: number;
  readonly pids: number;
}

/** What a pod's container is made with, besides its spec. */
export interface Surroundings {
  readonly names: Names;
  readonly image: string;
  readonly agentVolume: string;
  readonly networkId: string;
  readonly gatewayUrl: string;
  readonly defaults: PodDefaults;
  /** How many cores the engine has: it refuses a container that is given more. */
  readonly engineCpus: number;
}

export const WORKSPACE_DIR = '/workspace';
/** The port of every agent: each is in a container with an address of its own. */
export const AGENT_PORT = 7317;
/** What pods run as. The agent's image has the workspace's directory for it, and so an empty volume gets its owner. */
const POD_USER = '1000:1000';
/** Where a container finds the machine that it runs on, if that is where the gateway is. */
const HOST = 'host.docker.internal';

const MIB = 1024 * 1024;

/** The agent by its own loader and libraries: whatever libc the image has, or none. */
const AGENT_COMMAND = [`${AGENT_DIR}/lib/ld.so`, '--library-path', `${AGENT_DIR}/lib`, `${AGENT_DIR}/bin/node`, `${AGENT_DIR}/agent.js`];

/** What an image may set for its own programs, and would change how the agent is loaded. */
const UNSET = ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'NODE_OPTIONS'];

/** The container of a pod. */
export function podContainer(spec: PodSpec, around: Surroundings, mode?: AgentMode): ContainerCreateOptions {
  const { runtime } = spec;
  const memory = (runtime.memoryMb ?? around.defaults.memoryMb) * MIB;
  const cpus = Math.min(runtime.cpus ?? around.defaults.cpus, around.engineCpus);
  return {
    name: around.names.pod(spec.workspaceId),
    Image: around.image,
    Labels: around.names.podLabels(mode ?? 'pod', spec),
    User: POD_USER,
    WorkingDir: WORKSPACE_DIR,
    Entrypoint: AGENT_COMMAND,
    Cmd: [],
    Env: environmentOf(spec, around.gatewayUrl, mode),
    StopSignal: 'SIGTERM',
    // The image's own would look after a program that does not run here.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      // Looks after the processes that tasks leave behind.
      Init: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: runtime.readOnlyRoot,
      ...(runtime.readOnlyRoot ? { Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,mode=1777' } } : {}),
      Memory: memory,
      MemorySwap: memory,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: runtime.pids ?? around.defaults.pids,
      NetworkMode: around.networkId,
      ...(new URL(around.gatewayUrl).hostname === HOST ? { ExtraHosts: [`${HOST}:host-gateway`] } : {}),
      Mounts: [filesMount(spec, around.names, { filled: true }), volumeMount(around.agentVolume, AGENT_DIR, { readOnly: true })],
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
    },
  };
}

/** A container that is never started: as it is made, the engine gives the empty volume the owner that the agent's image has for it. */
export function preparingContainer(pod: PodIdentity, agentImage: string, names: Names): ContainerCreateOptions {
  return {
    Image: agentImage,
    Labels: names.podLabels('prepare', pod),
    HostConfig: { NetworkMode: 'none', Mounts: [filesMount(pod, names, { filled: false })] },
  };
}

function environmentOf(spec: PodSpec, gatewayUrl: string, mode: AgentMode): string[] {
  // A container is a namespace of processes: nothing in it is another's.
  const place = { workspaceDir: WORKSPACE_DIR, host: '0.0.0.0', port: AGENT_PORT, gatewayUrl, mode, processes: 'namespace' };
  const told = agentEnvironment(spec, place);
  const unset = Object.fromEntries(UNSET.map((name) => [name, '']));
  return Object.entries({ ...unset, ...told }).map(([name, value]) => `${name}=${value}`);
}

/** `filled`: what the pod's own image has in that place is no part of the workspace. */
function filesMount(pod: PodIdentity, names: Names, { filled }: { filled: boolean }): MountSettings {
  const labels = names.podLabels('files', pod);
  return {
    Type: 'volume',
    Source: names.files(pod),
    Target: WORKSPACE_DIR,
    VolumeOptions: { NoCopy: filled, Labels: labels, DriverConfig: { Name: 'local', Options: {} } },
  };
}

function volumeMount(volume: string, target: string, { readOnly }: { readOnly: boolean }): MountSettings {
  return { Type: 'volume', Source: volume, Target: target, ReadOnly: readOnly };
}
