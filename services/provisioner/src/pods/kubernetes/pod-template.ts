import { readFile } from 'node:fs/promises';
import type { V1Container, V1PodSpec, V1Volume, V1VolumeMount } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };
import { AGENT_CONTAINER, LABEL } from './names';

type Plain = Readonly<Record<string, unknown>>;
type Shape = 'text' | 'map' | 'list' | 'number' | 'boolean';

/** What every pod of this installation has besides what the driver gives it. */
export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Partial<V1PodSpec>;
  readonly volumes: readonly V1Volume[];
  /** Of the agent's container. */
  readonly agent: {
    readonly resources?: V1Container['resources'];
    readonly imagePullPolicy?: string;
    readonly volumeMounts: readonly V1VolumeMount[];
  };
}

export const NO_TEMPLATE: PodTemplate = { labels: {}, annotations: {}, spec: {}, volumes: [], agent: { volumeMounts: [] } };

/** What of a pod a template may say. All else is the driver's: identity, what runs, and what makes the pod restricted. */
const SPEC: Readonly<Record<string, Shape>> = {
  nodeSelector: 'map',
  affinity: 'map',
  tolerations: 'list',
  runtimeClassName: 'text',
  imagePullSecrets: 'list',
  topologySpreadConstraints: 'list',
  priorityClassName: 'text',
  preemptionPolicy: 'text',
  schedulerName: 'text',
  serviceAccountName: 'text',
  dnsPolicy: 'text',
  dnsConfig: 'map',
  hostAliases: 'list',
  volumes: 'list',
  containers: 'list',
};
const METADATA: Readonly<Record<string, Shape>> = { labels: 'map', annotations: 'map' };
const CONTAINER: Readonly<Record<string, Shape>> = { name: 'text', resources: 'map', imagePullPolicy: 'text', volumeMounts: 'list' };
const TOP: Readonly<Record<string, Shape>> = { apiVersion: 'text', kind: 'text', metadata: 'map', spec: 'map' };

/** As in pod-object.ts. */
const OWN_VOLUMES = /^(agent|tmp|workspace-\d+)$/;

/** A template that says what it must not, or is none. Told once, at the start. */
export class PodTemplateError extends Error {}

/** @throws PodTemplateError naming everything that is wrong */
export async function loadPodTemplate(file: string): Promise<PodTemplate> {
  // JSON is YAML, too. The client brings the parser.
  const { loadYaml } = await import('@kubernetes/client-node');
  let template: unknown;
  try {
    template = loadYaml(await readFile(file, 'utf8'));
  } catch (error) {
    throw new PodTemplateError(`POD_TEMPLATE cannot be read: ${(error as Error).message}`);
  }
  return parsePodTemplate(template);
}

/** @throws PodTemplateError */
export function parsePodTemplate(template: unknown): PodTemplate {
  const problems: string[] = [];
  const top = checked(template, 'the template', TOP, problems);
  const metadata = checked(top.metadata ?? {}, 'metadata', METADATA, problems);
  const spec = checked(top.spec ?? {}, 'spec', SPEC, problems);
  const containers = (Array.isArray(spec.containers) ? spec.containers : []).map((it, at) =>
    checked(it, `spec.containers[${at}]`, CONTAINER, problems),
  );
  if ((top.kind ?? 'Pod') !== 'Pod') problems.push('kind must be Pod');
  if ((top.apiVersion ?? 'v1') !== 'v1') problems.push('apiVersion must be v1');
  if (containers.length > 1 || containers.some(({ name }) => name !== AGENT_CONTAINER)) {
    problems.push(`spec.containers may hold one container, named ${AGENT_CONTAINER}: the one that the driver makes`);
  }
  const own = Object.values(LABEL) as string[];
  for (const name of Object.keys((metadata.labels as object | undefined) ?? {})) {
    if (own.includes(name)) problems.push(`metadata.labels.${name} is the driver's`);
  }
  for (const volume of Array.isArray(spec.volumes) ? (spec.volumes as Partial<V1Volume>[]) : []) {
    if (OWN_VOLUMES.test(volume?.name ?? '')) problems.push(`the volume ${volume.name} is the driver's`);
  }
  if (problems.length > 0) throw new PodTemplateError(`POD_TEMPLATE is wrong: ${problems.join('; ')}`);
  const { volumes, containers: _containers, ...rest } = spec;
  const { name: _name, volumeMounts, ...agent } = containers[0] ?? {};
  return {
    labels: (metadata.labels ?? {}) as PodTemplate['labels'],
    annotations: (metadata.annotations ?? {}) as PodTemplate['annotations'],
    spec: rest,
    volumes: (volumes ?? []) as V1Volume[],
    agent: { ...agent, volumeMounts: (volumeMounts ?? []) as V1VolumeMount[] },
  };
}

function checked(value: unknown, where: string, allowed: Readonly<Record<string, Shape>>, problems: string[]): Plain {
  if (shapeOf(value) !== 'map') {
    problems.push(`${where} is no map`);
    return {};
  }
  for (const [name, part] of Object.entries(value as Plain)) {
    const shape = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (shape === undefined) problems.push(`${where} may not say ${name}; it may say ${Object.keys(allowed).join(', ')}`);
    else if (shapeOf(part) !== shape) problems.push(`${name} in ${where} must be a ${shape}`);
  }
  return value as Plain;
}

function shapeOf(value: unknown): Shape | 'other' {
  if (Array.isArray(value)) return 'list';
  if (value === null) return 'other';
  const shapes: Readonly<Record<string, Shape>> = { string: 'text', number: 'number', boolean: 'boolean', object: 'map' };
  return shapes[typeof value] ?? 'other';
}
