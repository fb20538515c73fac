import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ConfigClass, describeConfig, parseConfig } from '@reprise/platform';
import { CHART, Cluster, RELEASE, lacking, type Container, type PodTemplate, type Rendered } from './chart';

const SERVICES = ['gateway', 'lifecycle', 'provisioner', 'billing', 'deadletters'] as const;
type Service = (typeof SERVICES)[number];
const VALUES = readdirSync(join(CHART, 'ci'));

/** A right value for each secret, as its Secret would have it. */
const SECRETS: Record<string, string> = {
  AMQP_URL: 'amqps://reprise_x:hidden@rabbitmq:5671/reprise',
  DATABASE_URL: 'postgres://reprise_x:hidden@postgres:5432/reprise',
  POD_TOKEN_SECRET: 'a-secret-of-some-length',
  SECRETS_KEY: 'a-secret-of-at-least-32-characters',
  SECRETS_KEY_PREVIOUS: 'another-secret-of-at-least-32-characters',
  S3_SECRET_ACCESS_KEY: 'a-secret-of-some-length',
};

const CLUSTER_DNS = {
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
};

function configOf(service: Service): ConfigClass {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is computed
  const module = require(resolve(__dirname, `../../services/${service}/src/${service}.config`)) as Record<string, ConfigClass>;
  return module[`${service[0]!.toUpperCase()}${service.slice(1)}Config`]!;
}

const cluster = Cluster.given();
const describeHere = cluster ? describe : describe.skip;

describeHere('the chart (needs TEST_KUBECONFIG, TEST_HELM and TEST_KUBECTL: npm run test:engines -- kubernetes)', () => {
  const api = cluster!;
  const namespace = `chart-${randomBytes(4).toString('hex')}`;
  /** Where pods are by default, and where they are in a namespace that was there. */
  const pods = `${namespace}-pods`;
  const workspaces = `${namespace}-workspaces`;
  const installed = `${namespace}-new`;
  const crds = resolve(__dirname, 'crds.yaml');

  beforeAll(() => {
    api.kubectl(['apply', '-f', crds]);
    for (const name of [namespace, pods, workspaces]) api.kubectl(['create', 'namespace', name]);
    // As the release itself would have made it: what is tried out needs the namespace to be there.
    api.kubectl(['label', 'namespace', pods, 'app.kubernetes.io/managed-by=Helm']);
    const owner = [`meta.helm.sh/release-name=${RELEASE}`, `meta.helm.sh/release-namespace=${namespace}`];
    api.kubectl(['annotate', 'namespace', pods, ...owner]);
    api.kubectl(['wait', '--for=condition=Established', '--timeout=60s', '-f', crds]);
  });
  afterAll(() => {
    const made = [namespace, pods, workspaces, installed, `${installed}-pods`];
    api.kubectl(['delete', '--wait=false', '--ignore-not-found', 'namespace', ...made]);
  });

  const argsFor = (file: string) => [
    ...['--values', join(CHART, 'ci', file)],
    ...(file.startsWith('everything') ? ['--set', `pods.namespace=${workspaces}`] : []),
  ];
  const manifestOf = (file: string, ...more: string[]) => api.template(namespace, [...argsFor(file), ...more]);
  const objectsOf = (file: string, ...more: string[]) => api.read(manifestOf(file, ...more));

  describe.each(VALUES)('with %s', (file) => {
    let manifest = '';
    let objects: Rendered[] = [];
    const podsOf = (): [Rendered, PodTemplate][] => objects.flatMap((o) => (o.spec?.template ? [[o, o.spec.template.spec]] : []));
    const containers = (): [string, Container][] =>
      podsOf().flatMap(([{ metadata }, { containers: all, initContainers = [] }]) =>
        [...all, ...initContainers].map((container): [string, Container] => [metadata.name, container]),
      );
    beforeAll(() => {
      manifest = manifestOf(file);
      objects = api.read(manifest);
    });

    it('has nothing that helm finds fault with', () => {
      expect(api.helm(['lint', '--strict', CHART, ...argsFor(file)])).toContain('0 chart(s) failed');
    });

    it('is taken whole by the API: no field of it is unknown there', () => {
      const kept = api.tried(manifest);
      expect(kept.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(
        objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
      );
      expect(kept.length).toBeGreaterThan(30);
      objects.forEach((object, index) => expect(lacking(object, kept[index], `${object.kind}/${object.metadata.name}`)).toEqual([]));
    });

    it('runs a pod of each service, and the set-up, by the restricted profile, and each within limits', () => {
      const components = podsOf().map(([{ metadata }]) => metadata.labels?.['app.kubernetes.io/component']);
      expect(new Set(components)).toEqual(new Set([...SERVICES, 'setup']));
      for (const [{ metadata, kind }, pod] of podsOf()) {
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } });
        expect(pod.automountServiceAccountToken).toBe(metadata.name.endsWith('-provisioner'));
        for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod).not.toHaveProperty(field);
        if (kind === 'Deployment') expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(25);
      }
      for (const [, { securityContext, resources, image }] of containers()) {
        expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
        expect(resources).toMatchObject({
          requests: { cpu: expect.anything(), memory: expect.anything() },
          limits: { memory: expect.anything() },
        });
        expect(image).toMatch(/^(registry\.example\.com\/platform\/)?reprise-[a-z]+:\d/);
      }
    });

    it('asks every service for its health, and keeps a replica of it', () => {
      for (const [{ kind, metadata }, { containers: all }] of podsOf()) {
        if (kind !== 'Deployment') continue;
        expect(all[0]).toMatchObject({
          startupProbe: { httpGet: { path: '/health/live' } },
          livenessProbe: { httpGet: { path: '/health/live' } },
          readinessProbe: { httpGet: { path: '/health/ready' } },
        });
        expect(objects.filter((o) => o.kind === 'PodDisruptionBudget' && o.metadata.name === metadata.name)).toHaveLength(1);
      }
    });

    it('tells every service what it understands, and what it needs: each starts with it', () => {
      const folder = mkdtempSync(join(tmpdir(), 'reprise-chart-'));
      try {
        for (const service of SERVICES) {
          const [[, pod]] = podsOf().filter(([{ metadata }]) => metadata.name.endsWith(`-${service}`)) as [[Rendered, PodTemplate]];
          const env = environmentIn(pod, folder);
          const known = new Map(describeConfig(configOf(service)).map((setting) => [setting.name, setting]));
          for (const [name, value] of Object.entries(env)) {
            const secret = known.get(name.replace(/_FILE$/, ''));
            if (!known.has(name) && !(secret?.secret === true && name.endsWith('_FILE')))
              throw new Error(`${service} does not know ${name}`);
            // A secret is never written out.
            if (known.get(name)?.secret === true) throw new Error(`${service} is given ${name} in plain: ${value}`);
          }
          expect(() => parseConfig(configOf(service), env)).not.toThrow();
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('holds no secret, and mounts only Secrets that exist already', () => {
      expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
      expect(manifest).not.toMatch(/:\/\/[^/\s$'"]+:[^@\s$'"(]+@/);
    });
  });

  /** The environment of the first container, with files as its volumes would have them. */
  function environmentIn({ containers: [container], volumes = [] }: PodTemplate, folder: string): NodeJS.ProcessEnv {
    const files = new Map<string, string>();
    for (const { name, mountPath } of container?.volumeMounts ?? []) {
      const items = volumes.find((volume) => volume.name === name)?.secret?.items ?? [];
      for (const { key, path } of items) {
        const file = join(folder, randomBytes(6).toString('hex'));
        writeFileSync(file, SECRETS[key] ?? 'anything');
        files.set(`${mountPath}/${path}`, file);
      }
    }
    const there = ({ name, value = '' }: { name: string; value?: string }) => {
      // A file that a volume is to bring must be in that volume.
      if (value.startsWith('/run/secrets/') && !files.has(value)) throw new Error(`${name} names ${value}, which no volume brings`);
      return [name, files.get(value) ?? value] as const;
    };
    return Object.fromEntries((container?.env ?? []).map(there));
  }

  it('takes what the cluster has: the newest kinds from a new one, older ones from this', () => {
    const versionsIn = (manifest: string) =>
      new Set([...manifest.matchAll(/^apiVersion: ((?:policy|autoscaling)\/.+)$/gm)].map(([, version]) => version));
    const fresh = api.template(namespace, [...argsFor('external-values.yaml'), '--kube-version', '1.32'], { asNew: true });
    expect(versionsIn(fresh)).toEqual(new Set(['policy/v1', 'autoscaling/v2']));
    const known = api.kubectl(['api-versions']).split('\n');
    for (const version of versionsIn(manifestOf('external-values.yaml'))) expect(known).toContain(version);
  });

  it('lets the pods of workspaces reach the gateway, and nobody but the provisioner reach them', () => {
    const policy = objectsOf('external-values.yaml').find(({ metadata }) => metadata.name.endsWith('-workspaces'));
    const peer = (component: string) => ({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
      podSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': component }) },
    });
    expect(policy?.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(policy?.spec?.ingress).toEqual([{ ports: [{ port: 8700, protocol: 'TCP' }], from: [peer('provisioner')] }]);
    expect(policy?.metadata.namespace).toBe(pods);
    expect(policy?.spec?.egress).toEqual([CLUSTER_DNS, { ports: [{ port: 8080, protocol: 'TCP' }], to: [peer('gateway')] }]);
  });

  it('lets names be asked for at the DNS of the cluster alone, wherever that is', () => {
    const dnsOf = (...args: string[]): unknown[] =>
      objectsOf('external-values.yaml', ...args)
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .map(({ spec }) => (spec?.egress as object[])[0]);
    expect(new Set(dnsOf().map((rule) => JSON.stringify(rule)))).toEqual(new Set([JSON.stringify(CLUSTER_DNS)]));
    const other = ['--set', 'networkPolicies.dnsPort=5353', '--set-json', 'networkPolicies.dns=[{"ipBlock":{"cidr":"169.254.20.10/32"}}]'];
    const ports = ['UDP', 'TCP'].map((protocol) => ({ port: 5353, protocol }));
    for (const rule of dnsOf(...other)) expect(rule).toEqual({ ports, to: [{ ipBlock: { cidr: '169.254.20.10/32' } }] });
  });

  it('lets no pod of a workspace reach metrics, whatever more it may reach', () => {
    const policies = objectsOf('external-values.yaml').filter(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.namespace === namespace,
    );
    const rules = policies.flatMap(({ spec }) => (spec?.ingress ?? []) as { ports: { port: number }[]; from?: object[] }[]);
    const metrics = rules.filter(({ ports: [port] }) => port?.port === 9464);
    expect(metrics).toHaveLength(SERVICES.length);
    const others = { matchExpressions: [{ key: 'reprise.dev/instance', operator: 'DoesNotExist' }] };
    for (const { from } of metrics) expect(from).toEqual([{ namespaceSelector: {}, podSelector: others }]);
  });

  it('makes a namespace for the pods, which stays with them when the release is uninstalled', () => {
    const install = [
      'install',
      RELEASE,
      CHART,
      '--no-hooks',
      '--create-namespace',
      '--namespace',
      installed,
      ...argsFor('external-values.yaml'),
    ];
    const rolesThere = () => api.kubectl(['get', 'roles', '--namespace', `${installed}-pods`, '--output', 'name']).trim();
    for (const _ of ['the first time', 'again, with what was left']) {
      api.helm(install);
      expect(rolesThere()).toBe('role.rbac.authorization.k8s.io/reprise-provisioner');
      api.helm(['uninstall', RELEASE, '--no-hooks', '--namespace', installed]);
      expect(rolesThere()).toBe('');
      expect(api.kubectl(['get', 'namespace', `${installed}-pods`, '--output', 'jsonpath={.status.phase}'])).toBe('Active');
    }
  });

  it('takes the namespace that it is told of as it is, and ends its own where the pods go with the release', () => {
    const namespaceIn = (...args: Parameters<typeof objectsOf>) => objectsOf(...args).find(({ kind }) => kind === 'Namespace')?.metadata;
    expect(namespaceIn('everything-values.yaml')).toBeUndefined();
    expect(namespaceIn('external-values.yaml')).toMatchObject({ name: pods, annotations: { 'helm.sh/resource-policy': 'keep' } });
    const removed = namespaceIn('external-values.yaml', '--set', 'pods.removeWithRelease=true');
    expect(removed).toMatchObject({ name: pods });
    expect(removed?.annotations).toBeUndefined();
  });

  it('sets up before the services of a version start; where it brings the servers itself, at the first time beside them', () => {
    const jobOf = (...args: Parameters<typeof objectsOf>) => objectsOf(...args).find(({ kind }) => kind === 'Job')?.metadata;
    expect(jobOf('external-values.yaml')?.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
    expect(jobOf('bundled-values.yaml')?.annotations ?? {}).not.toHaveProperty('helm.sh/hook');
    expect(jobOf('bundled-values.yaml', '--is-upgrade')?.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
  });

  it('gives the provisioner the rights of deploy/kubernetes/rbac.yaml, in the namespace of the pods alone', () => {
    const rights = (objects: Rendered[]) => objects.find(({ kind }) => kind === 'Role')?.rules;
    const committed = api.read(readFileSync(resolve(__dirname, '../../deploy/kubernetes/rbac.yaml'), 'utf8'));
    expect(rights(objectsOf('external-values.yaml', '--set', 'pods.removeWithRelease=true'))).toEqual(rights(committed));
    const objects = objectsOf('everything-values.yaml');
    expect(objects.filter(({ kind }) => kind.startsWith('ClusterRole'))).toEqual([]);
    expect(objects.find(({ kind }) => kind === 'Role')?.metadata.namespace).toBe(workspaces);
  });

  it.each([
    ['a setting that is a secret', 'gateway.settings.AMQP_URL=amqp://u:p@h', /gateway\.settings/],
    ['a name that does not exist', 'gatway.replicas=2', /gatway/],
    ['an even number of brokers', 'broker.bundled.replicas=2', /broker\.bundled\.replicas/],
    ['a store that does not exist', 'snapshots.store=tape', /snapshots\.store/],
    ['no bucket', 'snapshots.s3.bucket=', /snapshots\.s3\.bucket is needed/],
    ['files without a volume', 'snapshots.store=files', /snapshots\.files\.existingClaim is needed/],
  ])('refuses %s, and says where it stands', (_, setting, message) => {
    expect(() => manifestOf('external-values.yaml', '--set', setting)).toThrow(message);
  });
});
