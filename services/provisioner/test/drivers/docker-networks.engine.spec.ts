import type Docker from 'dockerode';
import { AgentClient } from '../../src/pods/agent-client';
import { Engine } from '../../src/pods/docker/engine';
import { Names } from '../../src/pods/docker/names';
import { PodNetworks } from '../../src/pods/docker/pod-networks';
import { ServiceContainers } from '../../src/pods/docker/service-containers';
import { parsePool } from '../../src/pods/docker/subnets';
import { DockerPodDriver } from '../../src/pods/docker/docker-pod-driver';
import type { PodSpec } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { credentialsOf, newSpec } from '../testing/workspaces';
import { DockerHost } from './support/docker-host';
import { DockerServices } from './support/docker-services';
import { describeWith, dockerEngine } from './support/engines';

const engine = dockerEngine();
const POOL = parsePool('10.219.0.0/20')!;
const GRACE = { graceSeconds: 5 };
const DEFAULT_ROUTE = `console.log(require('node:fs').readFileSync('/proc/net/route', 'utf8').split('\\n').filter((line) => line.split('\\t')[1] === '00000000').join())`;

describeWith(engine, 'Docker engine', 'a network for each pod', () => {
  const host = new DockerHost(engine?.host ?? 'unix:///none', engine?.agentImage ?? 'none', {
    podSubnets: POOL,
    gatewayUrl: 'http://gateway:8080',
  });
  const services = new DockerServices(host);
  const driver = host.newDriver();
  let [gateway, provisioner, database]: Docker.Container[] = [];

  beforeAll(async () => {
    await services.open();
    gateway = await services.start('gateway', { everywhere: [8080], at: { name: 'gateway-backend', ports: [9464] } }, { inPods: true });
    provisioner = await services.start('provisioner', { at: { name: 'provisioner-backend', ports: [8080, 9464] } }, { inPods: true });
    database = await services.start('postgres', { everywhere: [5432] }, { inPods: false });
  });
  afterAll(() => host.cleanUp(), 300_000);

  /** Which of these a task in the pod gets a connection to, each `<host>/<port>`. */
  async function reachedBy(spec: PodSpec, targets: readonly string[]): Promise<string[]> {
    const { address } = await driver.create(spec);
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    const knock = targets.map((to) => `(timeout 3 bash -c '</dev/tcp/${to}' 2>/dev/null && echo ${to}) &`);
    await agent.runTask({ taskId: 'task_1', description: `${knock.join('\n')}\nwait` });
    const history = await until(async () => ((await agent.history()).includes('task.ended') ? agent.history() : null), 60_000);
    const { output = '' } = JSON.parse(history.trim().split('\n').at(-1)!) as { output?: string };
    return targets.filter((to) => output.split('\n').includes(to));
  }

  /** Whether the agent answers what the provisioner's container asks it. */
  async function answers(address: string, from = provisioner!): Promise<boolean> {
    const ask = `fetch('${address}/health', { signal: AbortSignal.timeout(3000) }).then((it) => console.log(it.status), () => console.log('nothing'))`;
    return (await services.run(from, ask)) === '200';
  }

  const networkOf = async (spec: PodSpec): Promise<string> => (await host.networksOf(spec))[0]!.Name;

  it('lets a pod reach the gateway, and neither other pods, metrics nor servers, by name or address', async () => {
    const [one, other] = [newSpec(), newSpec()];
    const { hostname, port } = new URL((await driver.create(other)).address);
    await driver.create(one);
    const network = await networkOf(one);
    const inPods = await Promise.all([gateway!, provisioner!].map((container) => services.addressOf(container, network)));
    const inBackend = await Promise.all([gateway!, provisioner!, database!].map((container) => services.addressOf(container)));
    const reached = await reachedBy(one, [
      ...['gateway/8080', 'gateway/9464', 'provisioner/8080', 'provisioner/9464', 'postgres/5432', 'gateway-backend/9464'],
      ...inPods.flatMap((address) => [`${address}/8080`, `${address}/9464`]),
      ...inBackend.flatMap((address) => [`${address}/8080`, `${address}/9464`, `${address}/5432`]),
      ...[`${hostname}/${port}`, `${await services.addressOf(gateway!, await networkOf(other))}/8080`],
    ]);
    expect(reached).toEqual(['gateway/8080', `${inPods[0]}/8080`]);
    for (const spec of [one, other]) await driver.remove(spec, GRACE);
  });

  it('lets the provisioner reach every pod, and changes nothing on its way to the world', async () => {
    const before = await services.run(provisioner!, DEFAULT_ROUTE);
    const specs = [newSpec(), newSpec(), newSpec()];
    const pods = await Promise.all(specs.map((spec) => driver.create(spec)));
    for (const { address } of pods) expect(await answers(address)).toBe(true);
    expect(await services.run(provisioner!, DEFAULT_ROUTE)).toBe(before);
    expect(before).not.toBe('');
    await Promise.all(specs.map((spec) => driver.remove(spec, GRACE)));
  });

  it('is removed with its pod, and what was in it can be stopped and started', async () => {
    const spec = newSpec();
    await driver.create(spec);
    expect(await host.networksOf(spec)).toHaveLength(1);
    await gateway!.stop({ t: 0 });
    await driver.remove(spec, GRACE);
    expect(await host.networksOf(spec)).toEqual([]);
    expect(await driver.inspect(spec)).toBeNull();
    await gateway!.start();
    expect(Object.keys((await gateway!.inspect()).NetworkSettings.Networks)).toEqual([services.backend]);
  });

  it('is joined by a provisioner and a gateway that were made anew', async () => {
    const spec = newSpec();
    const { address } = await driver.create(spec);
    for (const container of [gateway!, provisioner!]) await container.remove({ force: true });
    gateway = await services.start('gateway', { everywhere: [8080], at: { name: 'gateway-backend', ports: [9464] } }, { inPods: true });
    provisioner = await services.start('provisioner', {}, { inPods: true });
    expect(await answers(address)).toBe(false);
    await new DockerPodDriver(host.options).rejoin();
    expect(await answers(address)).toBe(true);
    expect(await reachedBy(spec, ['gateway/8080', 'gateway/9464'])).toEqual(['gateway/8080']);
    await driver.remove(spec, GRACE);
  });

  it('of which nothing but the network is left is listed as dead, and removed', async () => {
    const spec = newSpec();
    await driver.create(spec);
    await (await host.containerOf(spec)).remove({ force: true });
    await host.docker.getVolume(`${host.instance}-${spec.workspaceId}-files-1`).remove();
    const { workspaceId, generation } = spec;
    expect(await driver.list()).toEqual([expect.objectContaining({ workspaceId, generation, phase: 'dead', salvageable: false })]);
    await driver.remove(spec, GRACE);
    expect(await driver.list()).toEqual([]);
    expect(await host.networksOf(spec)).toEqual([]);
  });

  it('is made once, whoever makes it at the same moment, and has subnets apart from all others', async () => {
    const specs = [newSpec(), newSpec(), newSpec()];
    const ids = await Promise.all(specs.flatMap((spec) => [1, 2, 3, 4].map(() => networksOf(host).ensure(spec, POOL))));
    expect(new Set(ids).size).toBe(3);
    const made = (await Promise.all(specs.map((spec) => host.networksOf(spec)))).flat();
    expect(made.map(({ Id }) => Id).sort()).toEqual([...new Set(ids)].sort());
    const subnets = made.map(({ IPAM }) => (IPAM?.Config as { Subnet: string }[])[0]!.Subnet);
    expect(subnets).toEqual(Array(3).fill(expect.stringMatching(/^10\.219\.\d+\.\d+\/28$/)));
    expect(new Set(subnets).size).toBe(3);
    for (const spec of specs) await networksOf(host).remove(spec);
  });

  it('is refused, with the reason, where the pool is used up', async () => {
    const [one, other] = [newSpec(), newSpec()];
    const narrow = host.newDriver({ podSubnets: parsePool('10.219.255.240/28')! });
    await narrow.create(one);
    const detail = expect.stringContaining('DOCKER_POD_SUBNETS has room for 1 pods') as string;
    await expect(narrow.create(other)).rejects.toMatchObject({ reason: 'quota_exceeded', detail });
    await narrow.remove(one, GRACE);
    await narrow.create(other);
    await narrow.remove(other, GRACE);
  });

  it('is the next pod’s: one from before, in the network of all, is reached and removed as it is', async () => {
    const spec = newSpec();
    const { address } = await host.newDriver({ podSubnets: null }).create(spec);
    expect(await host.networksOf(spec)).toEqual([]);
    expect(await driver.inspect(spec)).toMatchObject({ phase: 'running', address });
    expect(await driver.create(spec)).toMatchObject({ address });
    await driver.remove(spec, GRACE);
    expect(await driver.inspect(spec)).toBeNull();
  });
});

function networksOf({ options, instance }: DockerHost): PodNetworks {
  const [engineOf, names] = [new Engine(options), new Names(instance)];
  return new PodNetworks(engineOf, names, new ServiceContainers(engineOf, names, 'gateway'));
}
