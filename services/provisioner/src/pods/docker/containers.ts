import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PodIdentity } from '../pod-driver';
import type { Engine } from './engine';
import { EngineError, podError } from './engine-error';
import type { Names } from './names';

/** A container of a pod, as the engine lists it. */
export interface PodContainer extends PodIdentity {
  readonly id: string;
  /** The engine's word: created, running, paused, restarting, removing, exited, dead. */
  readonly status: string;
  /** Its address in its network; empty while it has none. */
  readonly ip: string;
  /** The id of its network; empty while it is in none. */
  readonly networkId: string;
  /** Whether its agent serves what a dead pod has left. */
  readonly salvages: boolean;
}

const LIVING = ['running', 'paused', 'restarting'];
const REMOVED_WITHIN_MS = 20_000;
const POLL_MS = 50;

/** Whether anything may run in it. */
export function isAlive({ status }: { status: string }): boolean {
  return LIVING.includes(status);
}

/** The containers of pods: found by their labels, acted upon by their ids. A name may be another one's by the time it is used. */
export class PodContainers {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
  ) {}

  /** All of this installation, or of one workspace; also those that were made to prepare a volume and left behind. */
  async list(workspaceId?: string): Promise<PodContainer[]> {
    const filters = JSON.stringify(this.names.filter({ workspaceId }));
    const answer: unknown = await this.engine.call('list containers', (docker, limited) =>
      docker.listContainers({ all: true, filters, ...limited }),
    );
    if (!Array.isArray(answer)) throw new EngineError('list containers', 'bad answer', 'the answer is no list of containers');
    return (answer as ContainerInfo[]).flatMap(({ Id, Labels, State, NetworkSettings }) => {
      const pod = this.names.identityOf(Labels);
      const [network] = Object.values(NetworkSettings.Networks);
      if (pod === null) return [];
      const { IPAddress: ip = '', NetworkID: networkId = '' } = network ?? {};
      return [{ ...pod, id: Id, status: State, ip, networkId, salvages: this.names.isSalvage(Labels) }];
    });
  }

  async of({ workspaceId, generation }: PodIdentity): Promise<PodContainer[]> {
    return (await this.list(workspaceId)).filter((it) => it.generation === generation);
  }

  /** Null where it is gone. */
  look(id: string): Promise<ContainerInspectInfo | null> {
    return this.engine.callUnless([404], 'inspect container', (docker, limited) => docker.getContainer(id).inspect(limited));
  }

  /** False where it is gone. */
  async start(id: string): Promise<boolean> {
    try {
      await this.engine.call('start container', (docker, limited) => docker.getContainer(id).start(limited));
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.code === 304) return true;
      if (error instanceof EngineError && (error.code === 404 || error.code === 409)) return false;
      throw error;
    }
  }

  /** SIGTERM, so many seconds, SIGKILL. Resolves when its processes have ended, or the engine would not do it in this way. */
  async stop(id: string, graceSeconds: number): Promise<void> {
    await this.engine.callUnless<unknown>(
      [304, 404, 409],
      'stop container',
      (docker, limited) => docker.getContainer(id).stop({ t: graceSeconds, ...limited }),
      graceSeconds * 1_000,
    );
  }

  /**
   * Ends it at once and takes it away, with what it wrote outside its volumes; resolves once it is gone.
   * @throws PodError `not_removed`
   */
  async remove(id: string): Promise<void> {
    await this.engine.callUnless([404, 409], 'remove container', (docker, limited) =>
      docker.getContainer(id).remove({ force: true, v: true, ...limited }),
    );
    // Someone else may be removing it: gone is gone, whoever did it.
    for (const until = Date.now() + REMOVED_WITHIN_MS; ;) {
      if ((await this.look(id)) === null) return;
      if (Date.now() > until) throw podError('not_removed', `container ${id.slice(0, 12)} is still there`);
      await sleep(POLL_MS);
    }
  }

  /** Takes away one that does not run. */
  async removeUnlessRunning(id: string): Promise<'removed' | 'gone' | 'running'> {
    try {
      await this.engine.call('remove container', (docker, limited) => docker.getContainer(id).remove({ v: true, ...limited }));
      return 'removed';
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code === 404) return 'gone';
      if (error.code === 409) return 'running';
      throw error;
    }
  }

  /** The last of what it printed. */
  async lastWords(id: string): Promise<string> {
    const log = await this.engine
      .call('read log', (docker, limited) =>
        docker.getContainer(id).logs({ stdout: true, stderr: true, tail: 20, follow: false, ...limited }),
      )
      .catch(() => Buffer.alloc(0));
    return plain(log).trim().slice(-800);
  }
}

/** Without the eight bytes that the engine puts before each piece of a stream. */
function plain(log: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length;) {
    const length = log.readUInt32BE(at + 4);
    pieces.push(log.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString('utf8');
}
