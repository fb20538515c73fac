import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
export const CHART = join(ROOT, 'deploy/helm/reprise');
export const RELEASE = 'reprise';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: { name: string; value?: string; valueFrom?: object }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { requests?: object; limits?: object };
  readonly volumeMounts?: { name: string; mountPath: string }[];
  readonly [field: string]: unknown;
}

export interface PodTemplate {
  readonly containers: Container[];
  readonly initContainers?: Container[];
  readonly volumes?: { name: string; secret?: { secretName: string; items?: { key: string; path: string }[] } }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  readonly spec?: { template?: { spec: PodTemplate }; [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** A Kubernetes API with helm and kubectl, and a namespace on it. */
export class Cluster {
  private constructor(
    private readonly helmPath: string,
    private readonly kubectlPath: string,
    private readonly kubeconfig: string,
  ) {}

  /** The one that the environment names; null where there is none. */
  static given(): Cluster | null {
    const { TEST_HELM: helm, TEST_KUBECTL: kubectl, TEST_KUBECONFIG: kubeconfig } = process.env;
    return helm && kubectl && kubeconfig ? new Cluster(helm, kubectl, kubeconfig) : null;
  }

  /** @throws Error with what helm said */
  helm(args: string[]): string {
    return run(this.helmPath, ['--kubeconfig', this.kubeconfig, ...args]);
  }

  /** @throws Error with what kubectl said */
  kubectl(args: string[], input?: string): string {
    return run(this.kubectlPath, ['--kubeconfig', this.kubeconfig, ...args], input);
  }

  /** What the chart says for these values, with what this API knows; or with what a new one does. */
  template(namespace: string, args: string[], { asNew = false } = {}): string {
    return this.helm(['template', RELEASE, CHART, '--namespace', namespace, ...(asNew ? [] : ['--validate']), ...args]);
  }

  /** The objects as they are written, none of their fields filled in or left out. */
  read(manifest: string): Rendered[] {
    return this.said('create', manifest, ['--dry-run=client', '--validate=false']);
  }

  /** The objects as the API would keep them. @throws Error where it refuses one */
  tried(manifest: string): Rendered[] {
    return this.said('apply', manifest, ['--dry-run=server', '--validate=true']);
  }

  private said(verb: string, manifest: string, how: string[]): Rendered[] {
    const said = this.kubectl([verb, ...how, '-o', 'json', '-f', '-'], manifest);
    const { items } = said.trim() === '' ? { items: [] } : (JSON.parse(joined(said)) as { items: (Rendered & { items?: Rendered[] })[] });
    // What is applied comes back as one list.
    return items.flatMap((item) => item.items ?? item);
  }
}

/** kubectl writes one JSON document an object, without anything between. */
function joined(documents: string): string {
  return `{"items":[${documents.trim().replace(/\n\}\n\{/g, '\n},\n{')}]}`;
}

function run(program: string, args: string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: 1e8 });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr.trim() || stdout.trim());
  return stdout;
}

/** What one object has and another lacks, as paths; fields that the other has besides are fine. */
export function lacking(whole: unknown, other: unknown, path = ''): string[] {
  if (typeof whole !== 'object' || whole === null) return sameQuantity(whole, other) ? [] : [path];
  if (typeof other !== 'object' || other === null) return Object.keys(whole).length === 0 ? [] : [path];
  return Object.entries(whole).flatMap(([key, value]) => lacking(value, (other as Record<string, unknown>)[key], `${path}/${key}`));
}

/** `1000m` and 1, or 1 and '1', are the same to the API. */
function sameQuantity(a: unknown, b: unknown): boolean {
  return a === null || JSON.stringify(a).replaceAll('"', '') === JSON.stringify(b)?.replaceAll('"', '');
}
