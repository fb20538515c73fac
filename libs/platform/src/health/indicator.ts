/** Something that readiness depends on: the database, the broker. */
export interface HealthIndicator {
  /** As it is named in the answer of `/health/ready`. */
  readonly name: string;
  /** Resolves when it is well, rejects with the reason when it is not. */
  check(): Promise<void>;
}

/** How long a check may take before it counts as failed. */
export const CHECK_TIMEOUT_MS = 2_000;

/** Resolves as the check does, or rejects when it takes longer than so many milliseconds. */
export async function within<T>(milliseconds: number, check: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([check, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
