import type { ImageInspectOptions } from 'dockerode';
import type { Engine, Limited } from './engine';
import { EngineError, podError } from './engine-error';

/** As the engine writes images: a name, perhaps with a registry, a tag, a digest. Keeps a role from naming another path of the API. */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,511}$/;

/** The images on the engine, pulled where they are missing. */
export class Images {
  /** What is being pulled right now: others who need it wait for the same pull. */
  private readonly pulls = new Map<string, Promise<void>>();

  constructor(
    private readonly engine: Engine,
    private readonly pullTimeoutMs: number,
  ) {}

  /**
   * The image's id, once the engine has it.
   * @throws PodError `image_unavailable`, `invalid_spec` for what is no name of an image
   */
  async ensure(reference: string): Promise<string> {
    if (!REFERENCE.test(reference) || /\.\.|\/\//.test(reference)) throw podError('invalid_spec', `"${reference}" is no name of an image`);
    const there = await this.idOf(reference);
    if (there !== null) return there;
    await this.pull(reference);
    const pulled = await this.idOf(reference);
    if (pulled === null) throw podError('image_unavailable', `image ${reference} is missing although it was pulled`);
    return pulled;
  }

  private async idOf(reference: string): Promise<string | null> {
    const image = await this.engine.callUnless([404], 'inspect image', (docker, limited) => {
      const options: ImageInspectOptions & Limited = limited;
      return docker.getImage(reference).inspect(options);
    });
    return image?.Id ?? null;
  }

  private pull(reference: string): Promise<void> {
    const running = this.pulls.get(reference);
    if (running) return running;
    const pull = this.pullNow(reference).finally(() => this.pulls.delete(reference));
    this.pulls.set(reference, pull);
    return pull;
  }

  private async pullNow(reference: string): Promise<void> {
    try {
      await this.engine.call(
        'pull image',
        async (docker, limited) => this.engine.followProgress(await docker.pull(reference, { ...limited })),
        this.pullTimeoutMs,
      );
    } catch (error) {
      // The engine itself in trouble is one thing, what it says of the registry another.
      const aboutTheImage =
        error instanceof EngineError && error.code !== 429 && (error.answered || error.code === 'broken' || error.code === 'timeout');
      if (!aboutTheImage) throw error;
      throw podError('image_unavailable', `image ${reference} cannot be pulled: ${error.words}`, error);
    }
  }
}
