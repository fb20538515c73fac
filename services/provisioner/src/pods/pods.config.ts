import { Env } from '@reprise/platform';
import { IsArray, IsBoolean, IsIn, IsInt, IsNotEmpty, IsOptional, Matches, Max, Min, ValidateBy, ValidateIf } from 'class-validator';
import { SnapshotStoreConfig } from '../snapshot-store.config';
import { parsePool } from './docker/subnets';
import { ISOLATIONS, type IsolationKind } from './process/isolation-kinds';

const POD_DRIVERS = ['process', 'docker', 'kubernetes'] as const;
export type PodDriverName = (typeof POD_DRIVERS)[number];

/** A setting that counts with one of these drivers alone. */
export function With(...drivers: readonly PodDriverName[]): PropertyDecorator {
  return ValidateIf((config: PodsConfig) => drivers.includes(config.podDriver));
}

/** The value is a subnet that the networks of pods can be cut out of. */
function IsSubnetPool(): PropertyDecorator {
  const defaultMessage = (): string =>
    '$property must be an IPv4 subnet from /8 to /28, written with its first address, such as 10.213.0.0/16';
  const validate = (value: unknown): boolean => typeof value === 'string' && parsePool(value) !== null;
  return ValidateBy({ name: 'isSubnetPool', validator: { validate, defaultMessage } });
}

/** What the provisioner is told of the pods that it makes. */
export class PodsConfig extends SnapshotStoreConfig {
  @Env('POD_DRIVER', {
    description: 'What a pod is: `process`, a process on this machine; `docker`, a container of a Docker engine; `kubernetes`, a Pod.',
    default: 'process',
    type: 'text',
  })
  @IsIn(POD_DRIVERS)
  readonly podDriver!: PodDriverName;

  @Env('PODS_DIR', { description: 'With POD_DRIVER=process: the directory of the pods.', example: '/var/lib/reprise/pods' })
  @With('process')
  @IsNotEmpty()
  readonly podsDir!: string;

  @Env('POD_ISOLATION', {
    description:
      'With POD_DRIVER=process: how pods are kept apart. `user`: each workspace has a user of its own (needs root); `namespace`: user, process and mount namespaces (not as root); `cgroup`: a cgroup v2 of its own, for tenants that you trust; `environment`: a mark that processes can drop, for tenants that you trust; `auto`: the first of these that works on this machine.',
    default: 'auto',
    type: 'text',
  })
  @With('process')
  @IsIn(['auto', ...ISOLATIONS])
  readonly podIsolation!: IsolationKind | 'auto';

  @Env('POD_HIDDEN_PATHS', {
    description:
      "With POD_ISOLATION=namespace or auto: directories and files that pods must not see, besides PODS_DIR, SNAPSHOTS_DIR, the home directory of the provisioner's user, the files of its `…_FILE` variables, and well-known sockets.",
    default: [],
    example: '/var/lib/reprise,/etc/reprise',
  })
  @With('process')
  @IsArray()
  @Matches(/^\/./, { each: true })
  readonly podHiddenPaths!: readonly string[];

  @Env('POD_VISIBLE_PATHS', {
    description:
      'With POD_ISOLATION=namespace or auto: what pods see although something that holds it is hidden, such as programs in the home directory. They cannot change it.',
    default: [],
    example: '/home/me/tools',
  })
  @With('process')
  @IsArray()
  @Matches(/^\/./, { each: true })
  readonly podVisiblePaths!: readonly string[];

  @Env('POD_USERS_FIRST', {
    description:
      'With POD_ISOLATION=user or auto: the first of the users that pods run as. Neither a person nor a program may run as one of them. Unset, PODS_DIR has a range of its own above 1900000000. A workspace keeps its user for as long as it has a pod.',
  })
  @With('process')
  @IsOptional()
  @IsInt()
  @Min(1_000)
  @Max(2_147_000_000)
  readonly podUsersFirst?: number;

  @Env('POD_USERS_COUNT', {
    description: 'With POD_ISOLATION=user or auto: how many users there are for pods; at most so many workspaces have one at a time.',
    default: 65_536,
  })
  @With('process')
  @IsInt()
  @Min(1)
  @Max(400_000)
  readonly podUsersCount!: number;

  @Env('AGENT_PATH', { description: "With POD_DRIVER=process: the agent's program file.", example: '/opt/reprise/agent.js' })
  @With('process')
  @IsNotEmpty()
  readonly agentPath!: string;

  @Env('AGENT_IMAGE', {
    description: 'With POD_DRIVER=docker or kubernetes: the image that holds the agent. A pod whose role names no image runs in this one.',
    example: 'reprise-agent:0.1.0',
  })
  @With('docker', 'kubernetes')
  @IsNotEmpty()
  readonly agentImage!: string;

  @Env('DOCKER_HOST', {
    description:
      'With POD_DRIVER=docker: the engine, on the machine of the provisioner: pods are reached at their addresses in its network.',
    default: 'unix:///var/run/docker.sock',
  })
  @With('docker')
  @Matches(/^(unix:\/\/\/.+|tcp:\/\/[^/]+)$/)
  readonly dockerHost!: string;

  @Env('DOCKER_INSTANCE', {
    description:
      'With POD_DRIVER=docker: whose pods these are. Installations that share an engine have different ones; all replicas of one the same.',
    default: 'reprise',
  })
  @With('docker')
  @Matches(/^[a-z0-9][a-z0-9-]{0,31}$/)
  readonly dockerInstance!: string;

  @Env('DOCKER_NETWORK', {
    description:
      'With POD_DRIVER=docker and not DOCKER_NETWORK_PER_POD: the network that pods are in; made where it is missing. The gateway must be reachable from it.',
    default: 'reprise-pods',
  })
  @With('docker')
  @Matches(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/)
  readonly dockerNetwork!: string;

  @Env('DOCKER_NETWORK_PER_POD', {
    description:
      'With POD_DRIVER=docker: whether each pod has a network of its own. Containers with the label `reprise.pods`, whose value is DOCKER_INSTANCE, join it: the provisioner and the gateway, where they are containers.',
    default: false,
  })
  @IsBoolean()
  readonly dockerNetworkPerPod!: boolean;

  @Env('DOCKER_POD_SUBNETS', {
    description:
      'With DOCKER_NETWORK_PER_POD: the private IPv4 addresses of all pods, which nothing else on the machine or reachable from it may use. Each pod takes 16 of them.',
    default: '10.213.0.0/16',
  })
  @With('docker')
  @IsSubnetPool()
  readonly dockerPodSubnets!: string;

  @Env('DOCKER_CALL_TIMEOUT_SECONDS', { description: 'With POD_DRIVER=docker: how long one call to the engine may take.', default: 20 })
  @IsInt()
  @Min(1)
  @Max(600)
  readonly dockerCallTimeoutSeconds!: number;

  @Env('IMAGE_PULL_TIMEOUT_SECONDS', {
    description: 'With POD_DRIVER=docker: how long an image may take to be pulled, beyond the time of one call.',
    default: 600,
  })
  @IsInt()
  @Min(1)
  @Max(7_200)
  readonly imagePullTimeoutSeconds!: number;

  @Env('POD_START_TIMEOUT_SECONDS', {
    description:
      'With POD_DRIVER=docker or kubernetes: how long an agent may take until it answers; one that does not is ended. On Kubernetes that is finding a node and pulling the image, too. Keep it below STEP_TIMEOUT_SECONDS, or the step ends first and says less.',
    default: 50,
  })
  @IsInt()
  @Min(1)
  @Max(600)
  readonly podStartTimeoutSeconds!: number;

  @Env('POD_DEFAULT_MEMORY_MB', {
    description: 'With POD_DRIVER=docker: the memory of a pod whose role says nothing of it, in MiB.',
    default: 2_048,
  })
  @IsInt()
  @Min(64)
  @Max(4_194_304)
  readonly podDefaultMemoryMb!: number;

  @Env('POD_DEFAULT_CPUS', {
    description:
      'With POD_DRIVER=docker: the cores of a pod whose role says nothing of them; may be a fraction. At most what the engine has is given.',
    default: 2,
  })
  @Min(0.05)
  @Max(1_024)
  readonly podDefaultCpus!: number;

  @Env('POD_DEFAULT_PIDS', {
    description: 'With POD_DRIVER=docker: how many processes and threads a pod whose role says nothing of them may have at once.',
    default: 1_024,
  })
  @IsInt()
  @Min(32)
  @Max(1_048_576)
  readonly podDefaultPids!: number;
}
