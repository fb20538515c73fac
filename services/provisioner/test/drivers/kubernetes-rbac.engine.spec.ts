import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfiguredCluster } from '../../src/pods/kubernetes/cluster-access';
import { KubeApi } from '../../src/pods/kubernetes/kube-api';
import type { KubeObject } from '../../src/pods/kubernetes/kube-objects';
import type { KubernetesDriverOptions } from '../../src/pods/kubernetes/kubernetes-pod-driver';
import { until } from '../testing/until';
import { newSpec, nextGeneration } from '../testing/workspaces';
import { describeWith, kubernetesApi } from './support/engines';
import { KubeGround } from './support/kube-ground';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}
interface Role extends KubeObject {
  readonly rules: readonly Rule[];
}

/** The committed objects as the API takes them: the file is what people apply. */
const FILE = readFileSync(join(__dirname, '../../../../deploy/kubernetes/rbac.yaml'), 'utf8');
const ACCOUNT = 'reprise-provisioner';
const GRACE = { graceSeconds: 1 };

/** Every single thing that the file allows: told as a test each, so known before anything runs. */
const PERMISSIONS = [
  ...['create', 'delete', 'get', 'list', 'watch'].map((verb) => [verb, 'pods'] as const),
  ['create', 'secrets'] as const,
  ...['create', 'delete', 'list'].map((verb) => [verb, 'persistentvolumeclaims'] as const),
  ...['create', 'get', 'list', 'update'].map((verb) => [verb, 'leases'] as const),
  ['get', 'configmaps'] as const,
];

describeWith(kubernetesApi(), 'Kubernetes API', 'the role that the driver is given', () => {
  let ground: KubeGround;
  let api: KubeApi;
  let role: Role;

  beforeAll(async () => {
    ground = await KubeGround.make({ storage: { kind: 'pvc', storageClass: null, sizeMb: 100 } });
    const { admin, namespace } = ground;
    const { loadAllYaml } = await import('@kubernetes/client-node');
    const objects = loadAllYaml(FILE) as (KubeObject & { kind: string })[];
    role = objects.find(({ kind }) => kind === 'Role') as Role & { kind: string };
    const binding = objects.find(({ kind }) => kind === 'RoleBinding')!;
    await admin.create(ground.path('configmaps'), named('ConfigMap', 'reprise-pods'));
    await admin.create(ground.path('serviceaccounts'), named('ServiceAccount', ACCOUNT));
    await admin.create(ground.path('roles'), role);
    await admin.create(ground.path('rolebindings'), {
      ...binding,
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace }],
    } as KubeObject);
    api = new KubeApi(await asAccount(), 10_000);
  });
  afterAll(() => ground.end());

  /** The API as the service account, and nobody else. */
  async function asAccount(): Promise<ConfiguredCluster> {
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: {}, spec: { expirationSeconds: 3_600 } };
    const answer = await ground.admin.create<KubeObject>(ground.path('serviceaccounts', `${ACCOUNT}/token`), request);
    const { token } = (answer as unknown as { status: { token: string } }).status;
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromFile(kubernetesApi()!.kubeconfig);
    config.loadFromClusterAndUser(config.getCurrentCluster()!, { name: ACCOUNT, token });
    return new ConfiguredCluster(config);
  }

  async function allows(rule: Rule, verb: string): Promise<boolean> {
    const resourceAttributes = {
      namespace: ground.namespace,
      verb,
      group: rule.apiGroups[0],
      resource: rule.resources[0],
      name: rule.resourceNames?.[0],
    };
    const user = `system:serviceaccount:${ground.namespace}:${ACCOUNT}`;
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec: { user, resourceAttributes } };
    const answer = await ground.admin.create<KubeObject>('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    return (answer as unknown as { status: { allowed: boolean } }).status.allowed;
  }

  async function giveRules(rules: readonly Rule[]): Promise<void> {
    await ground.admin.replace(ground.path('roles', role.metadata.name), { ...role, rules });
  }

  /** All that a driver ever does, as one thing that goes well or does not. */
  async function aDayOfTheDriver(limits: Partial<KubernetesDriverOptions> = {}): Promise<void> {
    const driver = ground.driver({ owner: 'configmap/reprise-pods', ...limits }, api);
    await driver.list();
    const spec = newSpec();
    await driver.create(spec);
    expect(await driver.inspect(spec)).toMatchObject({ phase: 'running' });
    // What another one makes is heard of by the watch alone, where no claim tells of it.
    const other = newSpec();
    await ground.driver({ storage: { kind: 'emptyDir' } }).create(other);
    await until(async () => (await driver.list()).some(({ workspaceId }) => workspaceId === other.workspaceId), 10_000);
    await driver.remove(other, GRACE);
    await driver.remove(spec, GRACE);
    await driver.create(nextGeneration(spec));
    await driver.remove(nextGeneration(spec), GRACE);
    expect(await driver.fences()).toContainEqual({ workspaceId: spec.workspaceId, generation: spec.generation + 1 });
    await driver.close();
  }

  it('is enough for all that it does', async () => {
    await aDayOfTheDriver();
  });

  it('is made of permissions that are each tried below', () => {
    const allowed = role.rules.flatMap(({ verbs, resources }) => resources.flatMap((resource) => verbs.map((verb) => [verb, resource])));
    expect(allowed).toEqual(PERMISSIONS);
  });

  it.each(PERMISSIONS)('is not enough without %s of %s', async (verb, resource) => {
    const rule = role.rules.find(({ resources }) => resources.includes(resource))!;
    const less = role.rules.map((it) => (it === rule ? { ...it, verbs: it.verbs.filter((other) => other !== verb) } : it));
    await giveRules(less.filter(({ verbs }) => verbs.length > 0));
    await until(async () => !(await allows(rule, verb)));
    try {
      const limits = { startTimeoutMs: 10_000, removeTimeoutMs: 5_000, listTimeoutMs: 5_000 };
      // In the words of the API; what only the watch tells is waited for in vain.
      await expect(aDayOfTheDriver(limits)).rejects.toThrow(verb === 'watch' ? /did not come true/ : /forbidden/);
    } finally {
      await giveRules(role.rules);
      await until(() => allows(rule, verb));
    }
  });
});

function named(kind: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name } } as KubeObject;
}
