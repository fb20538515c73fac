// @ts-check
// What it costs a provisioner to know of all pods on Kubernetes: time and memory of the first list, what the watch takes, how late it is. No test:
// it holds nothing to a figure. On a cluster of tests (test/engines/kube/up.sh), after npm run build:
//
//     TEST_KUBECONFIG=… node --expose-gc test/bench/kubernetes-pods.bench.mjs [10000]
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@reprise/contracts';
import cluster from '../../services/provisioner/dist/pods/kubernetes/cluster-access.js';
import kubeApi from '../../services/provisioner/dist/pods/kubernetes/kube-api.js';
import kubernetes from '../../services/provisioner/dist/pods/kubernetes/kubernetes-pod-driver.js';
import podObject from '../../services/provisioner/dist/pods/kubernetes/pod-object.js';
import podTemplate from '../../services/provisioner/dist/pods/kubernetes/pod-template.js';

const COUNT = Number(process.argv[2] ?? 10_000);
const CHANGES = 1_000;
const AT_ONCE = 32;
const namespace = `reprise-bench-${randomBytes(4).toString('hex')}`;
const access = await cluster.ConfiguredCluster.load(process.env.TEST_KUBECONFIG ?? '');
const api = new kubeApi.KubeApi(access, 60_000);
const pods = `/api/v1/namespaces/${namespace}/pods`;
/** @type {import('../../services/provisioner/src/pods/kubernetes/kubernetes-pod-driver').KubernetesDriverOptions} */
const options = {
  namespace,
  instance: 'bench',
  agentImage: 'reprise-agent:bench',
  agentPort: 8_700,
  gatewayUrl: 'http://gateway:8080',
  storage: { kind: 'emptyDir' },
  template: podTemplate.NO_TEMPLATE,
  graceSeconds: 5,
  owner: null,
  startTimeoutMs: 60_000,
  listTimeoutMs: 120_000,
};

await api.create('/api/v1/namespaces', /** @type {any} */ ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
try {
  const specs = Array.from({ length: COUNT }, specOf);
  const made = performance.now();
  await inTurns(specs, (spec) => api.create(pods, podObject.podOf(spec, options, [], '00000000')));
  say(`${COUNT} pods made in ${seconds(made)}`);
  const one = await api.list(pods, { limit: 1 });
  say(`one pod is ${JSON.stringify(one.items[0]).length} bytes of JSON`);

  const before = memory();
  const driver = new kubernetes.KubernetesPodDriver(api, options);
  const began = performance.now();
  const [first, peak] = await withPeak(driver.list());
  say(`first list of ${first.length} in ${seconds(began)}; memory at most ${mib(peak - before.rss)} MiB above what it was`);
  const after = memory();
  say(`kept for them: ${mib(after.heap - before.heap)} MiB of heap`);
  const again = performance.now();
  for (let n = 0; n < 20; n += 1) await driver.list();
  say(`every further list: ${((performance.now() - again) / 20).toFixed(1)} ms, without a request`);

  const cpu = process.cpuUsage();
  const changing = performance.now();
  const names = specs.slice(0, CHANGES).map(({ workspaceId }) => `${pods}/reprise-${workspaceId.replace('_', '-')}`);
  await inTurns(names, async (path) => {
    const pod = /** @type {any} */ (await api.get(path));
    await api.replace(`${path}/status`, { ...pod, status: { phase: 'Failed', reason: 'Evicted', message: 'for the bench' } });
  });
  const changed = performance.now();
  for (;;) {
    const dead = (await driver.list()).filter(({ phase }) => phase === 'dead').length;
    if (dead === CHANGES) break;
    await sleep(1);
  }
  const { user, system } = process.cpuUsage(cpu);
  say(
    `${CHANGES} changes made in ${((changed - changing) / 1_000).toFixed(1)} s; the last was told ${Math.round(performance.now() - changed)} ms after it`,
  );
  say(`processor for making and following them: ${((user + system) / 1_000 / CHANGES).toFixed(2)} ms each`);
  await driver.close();
} finally {
  await deleteAll();
}

async function deleteAll() {
  await api.delete(`/api/v1/namespaces/${namespace}`, {});
  // As many as the API manages in one request, until there are none.
  for (let left = true; left; left = (await api.list(pods, { limit: 1 })).items.length > 0) {
    await api.delete(pods, { gracePeriodSeconds: 0 }).catch(() => undefined);
  }
}

/** @returns {import('../../services/provisioner/src/pods/pod-driver').PodSpec} */
function specOf() {
  const runtime = { image: 'python:3.12', cpus: 1, memoryMb: 512, pids: null, diskMb: 1_024, readOnlyRoot: true };
  const command = ['python', '-m', 'agent'];
  const env = { MODEL: 'some-model', LANGUAGE: 'en' };
  const provider = { kind: 'anthropic', config: { model: 'some-model' } };
  const workspaceId = newId('workspace');
  return { workspaceId, generation: 1, token: 'x', command, env, taskTimeoutSeconds: 60, environment: 'bench', provider, runtime };
}

/** @template T @param {readonly T[]} all @param {(one: T) => Promise<unknown>} act */
async function inTurns(all, act) {
  const left = [...all];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) await act(one);
    }),
  );
}

/** @template T @param {Promise<T>} work @returns {Promise<[T, number]>} with the most memory that the process had meanwhile */
async function withPeak(work) {
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
  const result = await work;
  clearInterval(timer);
  return [result, Math.max(peak, process.memoryUsage.rss())];
}

function memory() {
  globalThis.gc?.();
  return { rss: process.memoryUsage.rss(), heap: process.memoryUsage().heapUsed };
}

/** @param {number} bytes */
function mib(bytes) {
  return (bytes / 1024 / 1024).toFixed(1);
}

/** @param {number} since */
function seconds(since) {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`);
}
