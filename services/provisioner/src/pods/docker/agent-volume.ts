import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine';
import { EngineError, podError } from './engine-error';
import type { Images } from './images';
import type { Names } from './names';
import { removeVolume } from './volumes';

/** Where the agent stands in its image, and is mounted in every pod. */
export const AGENT_DIR = '/reprise';

const POLL_MS = 100;
const FILLED_WITHIN_MS = 120_000;

/**
 * The agent with its own Node and libraries, as a volume that pods of any image mount read-only. The engine fills an empty volume from the image
 * of the first container that is made with it; that container is never started, and stays: once it is there, the volume is whole.
 */
export class AgentVolume {
  constructor(
    private readonly engine: Engine,
    private readonly names: Names,
    private readonly images: Images,
    private readonly image: string,
  ) {}

  /** Its name, once it is filled. @throws PodError */
  async ensure(): Promise<string> {
    const name = this.names.agent(await this.images.ensure(this.image));
    for (const until = Date.now() + FILLED_WITHIN_MS; ;) {
      const filler = await this.engine.callUnless([404], 'inspect container', (docker, limited) =>
        docker.getContainer(name).inspect(limited),
      );
      if (filler !== null) return name;
      if (await this.fill(name)) return name;
      if (Date.now() > until) throw podError('locked', `volume ${name} is being filled by someone else`);
      await sleep(POLL_MS);
    }
  }

  /** False where someone else is at it: the engine gives a name once. */
  private async fill(name: string): Promise<boolean> {
    // One without its container is half-filled, unless someone uses it: then it was whole once, and cannot be removed.
    await removeVolume(this.engine, name);
    try {
      const labels = this.names.labels('agent');
      const filled = { NoCopy: false, Labels: labels, DriverConfig: { Name: 'local', Options: {} } };
      const mount = { Type: 'volume', Source: name, Target: AGENT_DIR, VolumeOptions: filled } as const;
      const filler = { name, Image: this.image, Labels: labels, HostConfig: { NetworkMode: 'none', Mounts: [mount] } };
      await this.engine.createContainer(filler, FILLED_WITHIN_MS);
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.code === 409) return false;
      throw error;
    }
  }
}
