import Docker from 'dockerode';
import { EngineError, type EngineCode } from './engine-error';

export interface EngineOptions {
  /** `unix:///path/to.sock` or `tcp://host:port`. */
  readonly host: string;
  /** How long one call may take, its whole answer included. */
  readonly callTimeoutMs: number;
}

/** What every call is given, so that it ends when its time is up. */
export interface Limited {
  readonly abortSignal: AbortSignal;
}

/** A Docker engine. Every call to it ends in time, and fails with an `EngineError` alone. */
export class Engine {
  private readonly docker: Docker;

  constructor(private readonly options: EngineOptions) {
    this.docker = new Docker(addressOf(options.host));
  }

  /**
   * @param what the call's name, for the error
   * @param extraMs on top of the time limit, for a call that waits by itself
   * @throws EngineError
   */
  async call<T>(what: string, act: (docker: Docker, limited: Limited) => Promise<T>, extraMs = 0): Promise<T> {
    const limitMs = this.options.callTimeoutMs + extraMs;
    const limit = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    // The client does not settle when an answer breaks off in the middle: so the time is kept beside it.
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new EngineError(what, 'timeout', `no answer within ${limitMs} ms`));
        limit.abort();
      }, limitMs);
    });
    const answer = act(this.docker, { abortSignal: limit.signal });
    // It may fail after its time was up, when nobody waits for it any more.
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, tooLate]);
    } catch (error) {
      throw asEngineError(what, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** As `call`; null where the engine answers with one of these statuses. */
  async callUnless<T>(
    codes: readonly EngineCode[],
    what: string,
    act: (docker: Docker, limited: Limited) => Promise<T>,
    extraMs = 0,
  ): Promise<T | null> {
    try {
      return await this.call(what, act, extraMs);
    } catch (error) {
      if (error instanceof EngineError && codes.includes(error.code)) return null;
      throw error;
    }
  }

  /** Makes a container. @returns its id */
  async createContainer({ name, ...body }: Docker.ContainerCreateOptions, extraMs = 0): Promise<string> {
    const { id } = await this.call(
      'create container',
      (docker, limited) => {
        // Left to itself the client puts all of it into the address as well, where secrets do not belong and much of it has no room.
        const request = { _query: name === undefined ? {} : { name }, _body: body, ...limited };
        return docker.createContainer(request);
      },
      extraMs,
    );
    return id;
  }

  /** Follows an answer that tells its progress line by line, as that of a pull does. Rejects with what went wrong in it. */
  followProgress(stream: NodeJS.ReadableStream): Promise<void> {
    return new Promise((resolve, reject) => {
      stream.once('error', reject);
      this.docker.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  }
}

/** Every field is given: what is left out, the client takes from its own reading of the environment. */
function addressOf(host: string): Docker.DockerOptions {
  const url = new URL(host);
  return url.protocol === 'unix:'
    ? { socketPath: url.pathname, host: undefined, protocol: 'http' }
    : { socketPath: undefined, host: url.hostname, port: url.port === '' ? '2375' : url.port, protocol: 'http' };
}

function asEngineError(what: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const { statusCode, json, code, message } = error as {
    statusCode?: number;
    json?: { message?: unknown };
    code?: string;
    message: string;
  };
  if (statusCode === undefined) return new EngineError(what, code ?? 'broken', code ?? message, { cause: error });
  const words = typeof json?.message === 'string' ? json.message : message;
  return new EngineError(what, statusCode, words, { cause: error });
}
