import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { pack } from 'tar-stream';
import { DockerPodDriver, type DockerDriverOptions } from '../../../src/pods/docker/docker-pod-driver';
import type { PodDriver, PodIdentity, PodSpec } from '../../../src/pods/pod-driver';
import { until } from '../../testing/until';
import type { DriverUnderTest } from './driver-under-test';
import { FaultyProxy } from './faulty-proxy';

/** A Docker engine with one installation of Reprise of its own on it, looked at past the driver. */
export class DockerHost {
  readonly instance = `reprise-test-${randomBytes(4).toString('hex')}`;
  readonly docker: Docker;
  private readonly socketPath: string;
  private readonly images = new Map<string, string>();
  /** The containers that pods have had: their processes are found also when they are gone. */
  private readonly had = new Map<string, Set<string>>();
  private readonly proxy: FaultyProxy;
  private readonly directory = mkdtempSync(join(tmpdir(), 'reprise-docker-'));

  /** @param host `unix://…` @param agentImage the agent's image, which the engine has @param settings what its drivers are told besides */
  constructor(
    private readonly host: string,
    readonly agentImage: string,
    private readonly settings: Partial<DockerDriverOptions> = {},
  ) {
    this.socketPath = new URL(host).pathname;
    this.docker = new Docker({ socketPath: this.socketPath, host: undefined });
    this.proxy = new FaultyProxy({ socketPath: this.socketPath });
  }

  newDriver(options: Partial<DockerDriverOptions> = {}): PodDriver {
    const driver = new DockerPodDriver({ ...this.options, ...options });
    return {
      create: async (spec: PodSpec) => {
        try {
          return await driver.create(spec);
        } finally {
          await this.remember(spec);
        }
      },
      salvage: async (spec: PodSpec) => {
        try {
          return await driver.salvage(spec);
        } finally {
          await this.remember(spec);
        }
      },
      remove: (pod, how) => driver.remove(pod, how),
      inspect: (pod) => driver.inspect(pod),
      list: () => driver.list(),
      fences: () => driver.fences(),
    };
  }

  get options(): DockerDriverOptions {
    return {
      host: this.host,
      instance: this.instance,
      network: this.instance,
      podSubnets: null,
      agentImage: this.agentImage,
      gatewayUrl: 'http://host.docker.internal:9',
      defaults: { memoryMb: 512, cpus: 1, pids: 200 },
      callTimeoutMs: 30_000,
      pullTimeoutMs: 60_000,
      startTimeoutMs: 60_000,
      ...this.settings,
    };
  }

  async underTest(): Promise<DriverUnderTest> {
    await this.proxy.listen();
    const inTime = { callTimeoutMs: 8_000, lockTimeoutMs: 3_000 };
    return {
      driver: this.newDriver(),
      another: this.newDriver(),
      crash: async (pod) => (await this.containerOf(pod)).kill(),
      hasProcesses: (pod) => Promise.resolve(this.processesOf(pod).length > 0),
      takeAway: async (pod) => {
        await (await this.containerOf(pod)).remove({ force: true });
        await this.docker.getVolume(`${this.instance}-${pod.workspaceId}-files-${pod.generation}`).remove();
        for (const { Id } of await this.networksOf(pod)) await this.docker.getNetwork(Id).remove();
      },
      withAgent: async (program, options) => this.newDriver({ agentImage: await this.imageWith(program), ...options }),
      missingImage: '127.0.0.1:9/no-such/image:1',
      occupy: async ({ workspaceId }) => {
        const foreign = await this.docker.createContainer({ name: `${this.instance}-${workspaceId}`, Image: this.agentImage });
        return { impatient: this.newDriver({ lockTimeoutMs: 1_000 }), free: () => foreign.remove().then(() => true) };
      },
      api: {
        driver: this.newDriver({ host: `tcp://127.0.0.1:${this.proxy.port}`, ...inTime }),
        make: (what, meets) => this.proxy.make(what, meets),
        makesPod: ({ method, path }) => method === 'POST' && /\/containers\/create\?.*name=.*-ws_/.test(path),
        removesPod: ({ method, path }) => method === 'DELETE' && path.includes('/containers/'),
        unreachable: this.newDriver({ host: 'tcp://127.0.0.1:9', ...inTime }),
      },
    };
  }

  /** The container of a pod. @throws Error where there is none */
  async containerOf({ workspaceId, generation }: PodIdentity): Promise<Docker.Container> {
    const all = await this.containers([`reprise.workspace=${workspaceId}`, `reprise.generation=${generation}`]);
    const found = all.find(({ Labels }) => ['pod', 'salvage'].includes(Labels['reprise.kind'] ?? ''));
    if (!found) throw new Error(`${workspaceId} has no container of generation ${generation}`);
    return this.docker.getContainer(found.Id);
  }

  /** The network that a pod has to itself, if it has one. */
  networksOf({ workspaceId, generation }: PodIdentity): Promise<Docker.NetworkInspectInfo[]> {
    const label = [`reprise.instance=${this.instance}`, `reprise.workspace=${workspaceId}`, `reprise.generation=${generation}`];
    return this.docker.listNetworks({ filters: JSON.stringify({ label }) });
  }

  /** By /proc alone, which tells each process's control group. */
  processesOf({ workspaceId, generation }: PodIdentity): number[] {
    const ids = this.had.get(`${workspaceId}/${generation}`) ?? new Set();
    const isOfPod = (pid: string): boolean => {
      const groups = read(`/proc/${pid}/cgroup`);
      // A zombie is in its group until it is reaped, and does nothing.
      return [...ids].some((id) => groups.includes(id)) && !/^State:\s+[ZX][^]*^Threads:\s+[01]$/m.test(read(`/proc/${pid}/status`));
    };
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.filter(isOfPod).map(Number);
  }

  /** The agent's image with another program in the agent's place. */
  async imageWith(program: string): Promise<string> {
    const tag = createHash('sha256').update(program).digest('hex').slice(0, 12);
    const known = this.images.get(tag);
    if (known) return known;
    const container = await this.docker.createContainer({ Image: this.agentImage });
    const tar = pack();
    tar.entry({ name: 'agent.js', mode: 0o755 }, program);
    tar.finalize();
    await container.putArchive(tar as unknown as NodeJS.ReadableStream, { path: '/reprise' });
    await container.commit({ repo: this.instance, tag });
    await container.remove();
    this.images.set(tag, `${this.instance}:${tag}`);
    return `${this.instance}:${tag}`;
  }

  /** A program that does nothing but create a pod, to be killed while it does: its arguments are a driver's options and a spec. */
  creator(): string {
    const program = join(this.directory, 'creator.js');
    const source = join(__dirname, '../../../src/pods/docker/docker-pod-driver.ts');
    const main = `
      const { DockerPodDriver } = require(${JSON.stringify(source)});
      const [options, spec] = process.argv.slice(2).map((text) => JSON.parse(text));
      process.stdout.write('begin');
      new DockerPodDriver(options).create(spec).then(() => setInterval(() => {}, 1000));`;
    // What the engine's client needs for ssh is not needed here, and cannot be bundled.
    const args = [
      '--bundle',
      '--platform=node',
      '--external:*.node',
      '--external:cpu-features',
      `--outfile=${program}`,
      '--log-level=error',
    ];
    execFileSync(join(__dirname, '../../../../../node_modules/.bin/esbuild'), args, { input: main, cwd: __dirname });
    return program;
  }

  /** Takes away all that this installation and its tests have made. */
  async cleanUp(): Promise<void> {
    await this.proxy.close().catch(() => undefined);
    rmSync(this.directory, { recursive: true });
    await removeInstallation(this.docker, this.instance);
    for (const image of this.images.values()) await this.docker.getImage(image).remove({ force: true });
  }

  private async remember(pod: PodIdentity): Promise<void> {
    const key = `${pod.workspaceId}/${pod.generation}`;
    const found = await this.containers([`reprise.workspace=${pod.workspaceId}`, `reprise.generation=${pod.generation}`]).catch(() => []);
    const ids = this.had.get(key) ?? new Set();
    for (const { Id } of found) ids.add(Id);
    this.had.set(key, ids);
  }

  private containers(labels: string[]): Promise<Docker.ContainerInfo[]> {
    const filters = JSON.stringify({ label: [`reprise.instance=${this.instance}`, ...labels] });
    return this.docker.listContainers({ all: true, filters });
  }
}

/** An engine that shares two processors with everything else takes its time to let go. */
const PATIENCE_MS = 90_000;

/** Containers, volumes and networks with this installation's label. */
export async function removeInstallation(docker: Docker, instance: string): Promise<void> {
  const filters = JSON.stringify({ label: [`reprise.instance=${instance}`] });
  const containers = async (): Promise<void> => {
    for (const { Id } of await docker.listContainers({ all: true, filters })) {
      // The driver may have been about to remove it itself, or be at it.
      await docker.getContainer(Id).remove({ force: true, v: true }).catch(unlessGoing);
    }
  };
  await containers();
  const { Volumes } = await docker.listVolumes({ filters });
  for (const { Name } of Volumes ?? []) {
    // A container that the driver itself is about to remove is told of no more, and holds its volume to the end; one whose removal failed is told of again.
    const removed = async (): Promise<boolean> => {
      await containers();
      return docker
        .getVolume(Name)
        .remove()
        .then(() => true, unlessInUse);
    };
    await until(removed, PATIENCE_MS);
  }
  for (const { Id } of await docker.listNetworks({ filters })) {
    // It may take a container that has just gone for one of its own.
    const removed = (): Promise<boolean> =>
      docker
        .getNetwork(Id)
        .remove()
        .then(() => true, unlessInUse);
    await until(removed, PATIENCE_MS);
  }
}

function unlessGoing(error: unknown): void {
  if (![404, 409].includes((error as { statusCode: number }).statusCode)) throw error;
}

/** Volumes in use are told by 409, networks by 403; what is gone already is as good as removed. */
function unlessInUse(error: unknown): boolean {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 404) return true;
  if (statusCode !== 409 && statusCode !== 403) throw error;
  return false;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
