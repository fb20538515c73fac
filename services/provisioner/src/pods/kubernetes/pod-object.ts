import type { V1EnvVar, V1Probe, V1ResourceRequirements, V1Volume } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };
import { agentEnvironment, type AgentMode } from '../agent-environment';
import { PodError, type PodSpec } from '../pod-driver';
import type { KubeClaim, KubePod, KubeSecret, OwnerReference } from './kube-objects';
import { AGENT_CONTAINER, LABEL, labelsOf, nameOf } from './names';
import type { PodTemplate } from './pod-template';

/** Where a pod keeps the workspace's files. */
export type PodStorage =
  | { readonly kind: 'emptyDir' }
  /** A claim of its own for each pod, which outlives it; what size, where the role does not say. */
  | { readonly kind: 'pvc'; readonly storageClass: string | null; readonly sizeMb: number };

export interface PodMaking {
  readonly namespace: string;
  readonly instance: string;
  /** Holds the agent with all that it needs in `/reprise`. Where the role names no image, it is the pod's image, too. */
  readonly agentImage: string;
  readonly agentPort: number;
  readonly gatewayUrl: string;
  readonly storage: PodStorage;
  readonly template: PodTemplate;
  /** What a pod gets to end by itself where somebody else deletes it. */
  readonly graceSeconds: number;
}

export const WORKSPACE_DIR = '/workspace';
/** Runs in any image, whatever its C library: the agent image brings its own loader (docs/adr/0018). */
const NODE = ['/reprise/lib/ld.so', '--library-path', '/reprise/lib', '/reprise/bin/node'];
const COPY_AGENT = `require('node:fs').cpSync('/reprise', '/agent', { recursive: true, verbatimSymlinks: true })`;
/** The user of every pod; the agent image's own. */
const USER = 1000;
const TOKEN_KEY = 'token';
/** A pod whose agent has not listened within it is ended by its create, long before the kubelet gives up. */
const START_PROBES = 3_600;

const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/** The pod's own Secret: only its owner, the pod, is not known before the pod is made. */
export function secretOf(pod: KubePod, token: string): KubeSecret {
  const { name, uid, namespace, labels } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretNameIn(pod), namespace, labels, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: name!, uid: uid! }] },
    immutable: true,
    stringData: { [TOKEN_KEY]: token },
  };
}

function secretNameIn(pod: KubePod): string {
  const env = pod.spec?.containers.find(({ name }) => name === AGENT_CONTAINER)?.env ?? [];
  return env.find(({ name }) => name === 'REPRISE_POD_TOKEN')?.valueFrom?.secretKeyRef?.name ?? pod.metadata.name!;
}

/** The claim that holds a pod's workspace; null where that is the pod's own. */
export function claimIn({ spec }: KubePod): string | null {
  const mount = spec?.containers.find(({ name }) => name === AGENT_CONTAINER)?.volumeMounts?.find((it) => it.mountPath === WORKSPACE_DIR);
  return spec?.volumes?.find(({ name }) => name === mount?.name)?.persistentVolumeClaim?.claimName ?? null;
}

/** The claim that a new pod names. The pod does not own it: it goes when the pod is removed on purpose, and stays when the cluster takes the pod away. */
export function claimOf(pod: KubePod, spec: PodSpec, { storage, instance }: PodMaking): KubeClaim | null {
  const name = claimIn(pod);
  if (name === null || storage.kind !== 'pvc') return null;
  const { namespace, ownerReferences } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, labels: labelsOf(spec, instance), ownerReferences },
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(storage.storageClass === null ? {} : { storageClassName: storage.storageClass }),
      resources: { requests: { storage: `${spec.runtime.diskMb ?? storage.sizeMb}Mi` } },
    },
  };
}

/** A name, perhaps with a registry, a tag, a digest: the kubelet would find out much later. */
const IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,254}$/;

/** @throws PodError `invalid_spec` for what is no name of an image */
export function assertImage(image: string | null): void {
  if (image === null || (IMAGE.test(image) && !/\.\.|\/\//.test(image))) return;
  throw new PodError('invalid_spec', `"${image}" is no name of an image`);
}

/**
 * The pod of this spec.
 * @param incarnation told apart from every other pod of this identity: each has a Secret of its own, which goes with it, and perhaps a claim
 * @param salvaged the claim of a dead pod: this one serves what is on it, and does nothing else
 */
export function podOf(
  spec: PodSpec,
  making: PodMaking,
  owners: readonly OwnerReference[],
  incarnation: string,
  salvaged?: string,
): KubePod {
  const ownName = `${nameOf(spec.workspaceId)}-${spec.generation}-${incarnation}`;
  const mode = salvaged === undefined ? undefined : 'salvage';
  const { template, agentImage } = making;
  const ownImage = spec.runtime.image ?? agentImage;
  const bringsAgent = spec.runtime.image !== null;
  const readOnlyRoot = spec.runtime.readOnlyRoot;
  const securityContext = { ...RESTRICTED, readOnlyRootFilesystem: readOnlyRoot };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: nameOf(spec.workspaceId),
      namespace: making.namespace,
      labels: { ...template.labels, ...labelsOf(spec, making.instance), ...(mode === undefined ? {} : { [LABEL.mode]: mode }) },
      annotations: template.annotations,
      ownerReferences: owners,
    },
    spec: {
      ...template.spec,
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: Math.max(1, making.graceSeconds),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER,
        runAsGroup: USER,
        fsGroup: USER,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      initContainers: bringsAgent
        ? [
            {
              name: 'agent-copy',
              image: agentImage,
              imagePullPolicy: template.agent.imagePullPolicy,
              command: [...NODE, '-e', COPY_AGENT],
              securityContext: { ...RESTRICTED, readOnlyRootFilesystem: true },
              volumeMounts: [{ name: 'agent', mountPath: '/agent' }],
            },
          ]
        : [],
      containers: [
        {
          ...template.agent,
          name: AGENT_CONTAINER,
          image: ownImage,
          command: [...NODE, '/reprise/agent.js'],
          workingDir: WORKSPACE_DIR,
          env: [...agentEnv(spec, making, mode), tokenEnv(ownName)],
          ports: [{ name: 'agent', containerPort: making.agentPort }],
          resources: resourcesOf(spec, template.agent.resources),
          securityContext,
          // A dead agent's last words come with its status, without a right to read logs.
          terminationMessagePolicy: 'FallbackToLogsOnError',
          startupProbe: { ...asking(making.agentPort), failureThreshold: START_PROBES },
          readinessProbe: { ...asking(making.agentPort), periodSeconds: 10, failureThreshold: 3 },
          volumeMounts: [
            ...template.agent.volumeMounts,
            { name: workspaceVolumeName(spec), mountPath: WORKSPACE_DIR },
            ...(bringsAgent ? [{ name: 'agent', mountPath: '/reprise', readOnly: true }] : []),
            ...(readOnlyRoot ? [{ name: 'tmp', mountPath: '/tmp' }] : []),
          ],
        },
      ],
      volumes: [
        ...template.volumes,
        workspaceVolume(spec, making, salvaged ?? ownName, mode === 'salvage'),
        ...(bringsAgent ? [{ name: 'agent', emptyDir: {} }] : []),
        ...(readOnlyRoot ? [{ name: 'tmp', emptyDir: {} }] : []),
      ],
    },
  };
}

function agentEnv(spec: PodSpec, { gatewayUrl, agentPort }: PodMaking, mode: AgentMode): V1EnvVar[] {
  const {
    REPRISE_POD_TOKEN: _token,
    REPRISE_HOST: _host,
    ...values
  } = agentEnvironment(spec, {
    workspaceDir: WORKSPACE_DIR,
    host: '',
    port: agentPort,
    gatewayUrl,
    mode,
    // A container is a namespace of processes: nothing in it is another's.
    processes: 'namespace',
  });
  return [
    // Kubernetes expands `$(NAME)` in values, and `$$` to `$`: nothing of a role is meant so.
    ...Object.entries(values).map(([name, value]) => ({ name, value: value.replaceAll('$', '$$$$') })),
    { name: 'REPRISE_HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
  ];
}

function tokenEnv(secret: string): V1EnvVar {
  return { name: 'REPRISE_POD_TOKEN', valueFrom: { secretKeyRef: { name: secret, key: TOKEN_KEY } } };
}

function resourcesOf({ runtime }: PodSpec, given: V1ResourceRequirements | undefined): V1ResourceRequirements {
  const own: Record<string, string> = {
    ...(runtime.cpus === null ? {} : { cpu: `${Math.round(runtime.cpus * 1_000)}m` }),
    ...(runtime.memoryMb === null ? {} : { memory: `${runtime.memoryMb}Mi` }),
  };
  return { ...given, requests: { ...given?.requests, ...own }, limits: { ...given?.limits, ...own } };
}

/** Called after the generation, so that whoever looks at the pod sees which. */
function workspaceVolumeName({ generation }: PodSpec): string {
  return `workspace-${generation}`;
}

function workspaceVolume(spec: PodSpec, { storage }: PodMaking, claimName: string, isSalvaged: boolean): V1Volume {
  const name = workspaceVolumeName(spec);
  const { diskMb } = spec.runtime;
  if (storage.kind === 'pvc' || isSalvaged) return { name, persistentVolumeClaim: { claimName } };
  return { name, emptyDir: diskMb === null ? {} : { sizeLimit: `${diskMb}Mi` } };
}

function asking(port: number): V1Probe {
  return { httpGet: { path: '/health', port, scheme: 'HTTP' }, periodSeconds: 1, timeoutSeconds: 5 };
}
