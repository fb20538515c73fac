import { PodError, type PodErrorReason } from '../pod-driver';

/** An HTTP status, or what the operating system says of the connection, or `timeout`. */
export type EngineCode = number | string;

/** A call to the engine that came to nothing, in the engine's own words. */
export class EngineError extends Error {
  constructor(
    readonly call: string,
    readonly code: EngineCode,
    readonly words: string,
    options?: { cause?: unknown },
  ) {
    super(`${call}: ${words}`, options);
    this.name = 'EngineError';
  }

  /** Whether the engine itself answered. */
  get answered(): boolean {
    return typeof this.code === 'number';
  }
}

const LONGEST_DETAIL = 1_000;

/** Whatever the engine said or failed to say, as an error of the port. */
export async function answering<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const said = error.answered ? `the engine answers ${error.code} to` : 'the engine does not answer to';
    throw podError(reasonOf(error), `${said} "${error.call}": ${error.words}`, error);
  }
}

export function podError(reason: PodErrorReason, detail: string, cause?: unknown): PodError {
  return new PodError(reason, detail.trim().slice(0, LONGEST_DETAIL), { cause });
}

function reasonOf({ code, words }: EngineError): PodErrorReason {
  if (/no space left on device|disk quota exceeded/i.test(words)) return 'no_space';
  if (code === 'EACCES' || code === 'EPERM') return 'denied';
  return 'unavailable';
}
