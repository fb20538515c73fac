import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AgentClient } from '../../src/pods/agent-client';
import { Engine } from '../../src/pods/docker/engine';
import { Names } from '../../src/pods/docker/names';
import { bridgeOf } from '../../src/pods/docker/networks';
import { SharedNetwork } from '../../src/pods/docker/shared-network';
import { ANY_RUNTIME, type PodSpec } from '../../src/pods/pod-driver';
import { until } from '../testing/until';
import { credentialsOf, newSpec, nextGeneration } from '../testing/workspaces';
import { DockerHost } from './support/docker-host';
import { describeWith, dockerEngine } from './support/engines';
import { FaultyProxy } from './support/faulty-proxy';
import { Registry } from './support/registry';

const engine = dockerEngine();

describeWith(engine, 'Docker engine', 'pods that are containers', () => {
  const host = new DockerHost(engine?.host ?? 'unix:///none', engine?.agentImage ?? 'none');
  const driver = host.newDriver();
  const GRACE = { graceSeconds: 5 };
  afterAll(() => host.cleanUp(), 300_000);

  /** What a shell says in the pod. */
  async function sh(spec: PodSpec, script: string): Promise<string> {
    const { address } = await driver.create(spec);
    const agent = new AgentClient({ address, credentials: credentialsOf(spec) });
    await agent.resumeWork();
    await agent.runTask({ taskId: 'task_1', description: script });
    const history = await until(async () => ((await agent.history()).includes('task.ended') ? agent.history() : null), 60_000);
    return String((JSON.parse(history.trim().split('\n').at(-1)!) as { output?: string }).output);
  }

  describe('a pod', () => {
    it('has nobody’s rights, no capability, and one file system to write to where its root is read-only', async () => {
      const spec = newSpec({ runtime: { ...ANY_RUNTIME, readOnlyRoot: true } });
      const said = await sh(
        spec,
        `id -u; id -g; grep -E 'CapEff|CapPrm|CapBnd|NoNewPrivs' /proc/self/status | tr -s '\\t' ' '
         touch /workspace/a /tmp/b && echo may; touch /c 2>&1; grep ' /reprise ' /proc/mounts | grep -o ' ro,'; stat -c '%u:%g' /workspace; pwd; echo $HOME`,
      );
      expect(said.trim().split('\n')).toEqual([
        '1000',
        '1000',
        'CapPrm: 0000000000000000',
        'CapEff: 0000000000000000',
        'CapBnd: 0000000000000000',
        'NoNewPrivs: 1',
        'may',
        expect.stringMatching(/\/c.*Read-only file system/),
        expect.stringContaining(' ro,'.trim()),
        '1000:1000',
        '/workspace',
        '/workspace',
      ]);
      await driver.remove(spec, GRACE);
    });

    it.each([null, 'debian:bookworm-slim'])('runs the agent in its role’s image (%s), in an empty workspace', async (image) => {
      const spec = newSpec({ runtime: { ...ANY_RUNTIME, image } });
      expect(await sh(spec, 'command -v node >/dev/null && echo node || echo none; ls -A /workspace | grep -v "^.reprise$" | wc -l')).toBe(
        image === null ? 'node\n0\n' : 'none\n0\n',
      );
      await driver.remove(spec, GRACE);
    });

    it('runs in an image that has to be pulled, and holds no program at all', async () => {
      const registry = new Registry();
      const image = await registry.open();
      try {
        const spec = newSpec({ runtime: { ...ANY_RUNTIME, image, readOnlyRoot: true } });
        const { address } = await driver.create(spec);
        expect(await new AgentClient({ address, credentials: credentialsOf(spec) }).health()).toMatchObject({ status: 'starting' });
        const none = newSpec({ runtime: { ...ANY_RUNTIME, image: image.replace(':1', ':2') } });
        const detail = expect.stringMatching(/bare:2 .*manifest unknown/) as string;
        await expect(driver.create(none)).rejects.toMatchObject({ reason: 'image_unavailable', detail });
        await driver.remove(spec, GRACE);
      } finally {
        await registry.close();
        await host.docker.getImage(image).remove({ force: true });
      }
    });

    it('is held to its limits', async () => {
      const spec = newSpec({ runtime: { ...ANY_RUNTIME, memoryMb: 256, cpus: 0.5, pids: 64 } });
      await driver.create(spec);
      const { HostConfig } = await (await host.containerOf(spec)).inspect();
      expect(HostConfig).toMatchObject({ Memory: 256 * 1024 * 1024, MemorySwap: 256 * 1024 * 1024, NanoCpus: 5e8, PidsLimit: 64 });
      await driver.remove(spec, GRACE);
      const many = newSpec({ runtime: { ...ANY_RUNTIME, cpus: 500 } });
      await driver.create(many);
      await driver.remove(many, GRACE);
    });

    it('that forks without end fails its own task, and the pod lives on', async () => {
      const spec = newSpec({ runtime: { ...ANY_RUNTIME, pids: 40 } });
      expect(await sh(spec, '(for i in $(seq 100); do sleep 1000 >/dev/null 2>&1 & done) 2>&1 | tail -1')).toMatch(/fork/i);
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'running' });
      await driver.remove(spec, { graceSeconds: 0 });
    });

    it('whose agent takes more memory than it may is told as out of memory', async () => {
      const greedy = `
        const health = { status: 'starting', workspace_id: process.env.REPRISE_WORKSPACE_ID, generation: Number(process.env.REPRISE_GENERATION) };
        require('node:http').createServer((request, response) => {
          response.end(JSON.stringify(health));
          if (request.url === '/eat') for (const eaten = []; ;) eaten.push(Buffer.alloc(16 * 1024 * 1024, 'x'));
        }).listen(Number(process.env.REPRISE_PORT), '0.0.0.0');`;
      const spec = newSpec({ runtime: { ...ANY_RUNTIME, memoryMb: 96 } });
      const { address } = await host.newDriver({ agentImage: await host.imageWith(greedy) }).create(spec);
      await fetch(`${address}/eat`).catch(() => undefined);
      await until(async () => (await driver.inspect(spec))?.phase === 'dead', 60_000);
      expect(await driver.inspect(spec)).toMatchObject({ end: { reason: 'out_of_memory', detail: expect.stringContaining('96 MiB') } });
      await driver.remove(spec, { graceSeconds: 0 });
    });

    it('does not reach another pod, and is reached by the provisioner', async () => {
      const [one, other] = [newSpec(), newSpec()];
      const { address } = await driver.create(other);
      const { hostname, port } = new URL(address);
      const knock = `timeout 3 bash -c '</dev/tcp/${hostname}/${port}' 2>/dev/null && echo open || echo closed`;
      expect(await sh(one, knock)).toBe('closed\n');
      expect(await sh(other, knock)).toBe('open\n');
      for (const spec of [one, other]) await driver.remove(spec, GRACE);
    });

    it('has a token that stands in no address of a call to the engine', async () => {
      const paths: string[] = [];
      const proxy = new FaultyProxy({ socketPath: new URL(engine!.host).pathname });
      await proxy.listen();
      proxy.make({ kind: 'slow', ms: 0 }, ({ path }) => paths.push(path) > 0);
      const spec = newSpec();
      await host.newDriver({ host: `tcp://127.0.0.1:${proxy.port}` }).create(spec);
      expect(paths.some((path) => path.includes('/containers/create'))).toBe(true);
      expect(paths.filter((path) => decodeURIComponent(path).includes(spec.token))).toEqual([]);
      await driver.remove(spec, GRACE);
      await proxy.close();
    });

    it('tells how it ended', async () => {
      const spec = newSpec();
      await driver.create(spec);
      await (await host.containerOf(spec)).kill();
      await until(async () => (await driver.inspect(spec))?.phase === 'dead');
      expect((await driver.inspect(spec))?.end).toEqual({ reason: 'exited', detail: expect.stringContaining('137') as string });
      await driver.remove(spec, GRACE);
    });

    it('is not seen by another installation on the same engine', async () => {
      const other = new DockerHost(engine!.host, engine!.agentImage);
      try {
        const spec = newSpec();
        await driver.create(spec);
        const theirs = other.newDriver();
        expect(await theirs.list()).toEqual([]);
        expect(await theirs.inspect(spec)).toBeNull();
        await theirs.remove(spec, GRACE);
        await theirs.create(nextGeneration(spec));
        expect(await driver.inspect(spec)).toMatchObject({ phase: 'running' });
        await driver.remove(spec, GRACE);
      } finally {
        await other.cleanUp();
      }
    });

    it('that was made and never started is taken for left behind, and made again', async () => {
      const spec = newSpec();
      await driver.create(spec);
      const { Name, Config, Image, HostConfig } = await (await host.containerOf(spec)).inspect();
      await driver.remove(spec, GRACE);
      await host.docker.createContainer({ ...Config, name: Name.slice(1), Image, HostConfig });
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead', end: null });
      expect(await driver.create(spec)).toMatchObject({ generation: 1 });
      await driver.remove(spec, GRACE);
      expect(await driver.inspect(spec)).toBeNull();
    });

    it('outlives its provisioner, killed in any moment of creating it, and is made once all the same', async () => {
      const program = host.creator();
      // From before the first call until after the last one: a pod comes up in some 500 ms, or in seconds where the machine is busy.
      for (let delay = 0; delay <= 1_500; delay += 250) {
        const spec = newSpec();
        const provisioner = spawn(process.execPath, [program, JSON.stringify(host.options), JSON.stringify(spec)], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        await once(provisioner.stdout, 'data');
        await new Promise((resolve) => setTimeout(resolve, delay));
        provisioner.kill('SIGKILL');
        await once(provisioner, 'exit');
        const { address } = await driver.create(spec);
        expect(await new AgentClient({ address, credentials: credentialsOf(spec) }).health()).toMatchObject({
          workspaceId: spec.workspaceId,
        });
        expect((await driver.list()).filter((it) => it.workspaceId === spec.workspaceId)).toHaveLength(1);
        await driver.remove(spec, { graceSeconds: 0 });
        expect(await driver.inspect(spec)).toBeNull();
      }
    }, 300_000);

    it('that is dead does not keep a newer one out, and its files stay to be removed', async () => {
      const spec = newSpec();
      await driver.create(spec);
      await (await host.containerOf(spec)).kill();
      const next = nextGeneration(spec);
      await until(() => driver.create(next).catch(() => null));
      expect(await driver.inspect(spec)).toMatchObject({ phase: 'dead' });
      await driver.remove(spec, GRACE);
      expect(await driver.inspect(spec)).toBeNull();
      expect(await driver.inspect(next)).toMatchObject({ phase: 'running' });
      await driver.remove(next, GRACE);
    });
  });

  it('leaves of a workspace whose pods are gone its fence alone', async () => {
    const spec = newSpec();
    for (const each of [spec, nextGeneration(spec), nextGeneration(spec, 2)]) {
      await driver.create(each);
      await driver.remove(each, GRACE);
    }
    const filters = JSON.stringify({ label: [`reprise.workspace=${spec.workspaceId}`] });
    const { Volumes } = await host.docker.listVolumes({ filters });
    expect(Volumes.map(({ Name }) => Name)).toEqual([`${host.instance}-${spec.workspaceId}-fence-3`]);
    expect(await host.docker.listContainers({ all: true, filters })).toEqual([]);
  });

  it('makes the network and the agent’s volume once, from however many sides', async () => {
    const fresh = new DockerHost(engine!.host, engine!.agentImage);
    try {
      const specs = [newSpec(), newSpec(), newSpec()];
      await Promise.all(specs.map((spec) => fresh.newDriver().create(spec)));
      const label = JSON.stringify({ label: [`reprise.instance=${fresh.instance}`] });
      expect(await fresh.docker.listNetworks({ filters: label })).toHaveLength(1);
      const agents = JSON.stringify({ label: [`reprise.instance=${fresh.instance}`, 'reprise.kind=agent'] });
      expect((await fresh.docker.listVolumes({ filters: agents })).Volumes).toHaveLength(1);
    } finally {
      await fresh.cleanUp();
    }
  });

  it('makes one network, whoever makes it at the same moment', async () => {
    const fresh = new DockerHost(engine!.host, engine!.agentImage);
    try {
      const makers = [1, 2, 3, 4].map(() => networkOf(fresh));
      const ids = await Promise.all(makers.map((network) => network.ensure()));
      const made = await fresh.docker.listNetworks({ filters: JSON.stringify({ name: [fresh.instance] }) });
      expect(made.map(({ Id }) => Id)).toEqual([ids[0]]);
      expect(new Set(ids).size).toBe(1);
    } finally {
      await fresh.cleanUp();
    }
  });

  it('says what the engine says where it makes no network', async () => {
    const fresh = new DockerHost(engine!.host, engine!.agentImage);
    const bridge = { 'com.docker.network.bridge.name': bridgeOf(fresh.instance) };
    const foreign = await fresh.docker.createNetwork({ Name: `foreign-${bridgeOf(fresh.instance)}`, Driver: 'bridge', Options: bridge });
    try {
      const refused = networkOf(fresh, 200).ensure();
      await expect(refused).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringMatching(/same bridge name/) });
    } finally {
      await foreign.remove().finally(() => fresh.cleanUp());
    }
  });

  it('says which networks there are where there are several of one name', async () => {
    const fresh = new DockerHost(engine!.host, engine!.agentImage);
    const make = (): Promise<{ id: string } | null> => {
      const Labels = { 'reprise.instance': fresh.instance };
      // An engine from 25 on makes no second one.
      return fresh.docker.createNetwork({ Name: fresh.instance, Driver: 'bridge', Labels }).catch(unless409);
    };
    try {
      const [first, second] = [await make(), await make()];
      if (second === null) return;
      await expect(networkOf(fresh).ensure()).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringContaining(second.id) });
      await fresh.docker.getNetwork(second.id).remove();
      expect(await networkOf(fresh).ensure()).toBe(first?.id);
    } finally {
      await fresh.cleanUp();
    }
  });
});

function unless409(error: unknown): null {
  if ((error as { statusCode?: number }).statusCode !== 409) throw error;
  return null;
}

function networkOf({ options, instance }: DockerHost, patienceMs?: number): SharedNetwork {
  return new SharedNetwork(new Engine(options), new Names(instance), options.network, patienceMs);
}
