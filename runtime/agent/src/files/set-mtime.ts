import { lutimesSync } from 'node:fs';

/** Sets the time of change, in microseconds since 1970; follows no symlink. */
export function setMtime(path: Buffer, micros: bigint): void {
  const time = secondsText(micros);
  lutimesSync(path, time, time);
}

/** The microsecond that a time is in, also before 1970. */
export const microsOf = (nanos: bigint): bigint => (nanos >= 0n ? nanos / 1000n : (nanos - 999n) / 1000n);

/** Since libuv 1.52 (Node 24; measured against 1.51) nanoseconds are kept. Before, a time was cut to microseconds, towards zero. */
const KEEPS_NANOSECONDS = isAtLeast(process.versions.uv, 1, 52);

/**
 * Node takes seconds as a double, which is as exact as a quarter of a microsecond: half a microsecond more keeps what is read, which is
 * cut to microseconds, from being one too few. As text, because Node takes a negative number for "now".
 */
export function secondsText(micros: bigint): string {
  const half = micros < 0n && !KEEPS_NANOSECONDS ? -0.5 : 0.5;
  return String((Number(micros) + half) / 1e6);
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
