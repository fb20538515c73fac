import { lutimesSync } from 'node:fs';

/** Sets the time of change, in microseconds since 1970; follows no symlink. */
export function setMtime(path: Buffer, micros: bigint): void {
  const time = secondsText(micros);
  lutimesSync(path, time, time);
}

/**
 * Node takes seconds as a double and cuts it to microseconds; half a microsecond more, away from zero, keeps the cut
 * from going one too far. As text, because Node takes a negative number for "now".
 */
export function secondsText(micros: bigint): string {
  return String((Number(micros) + (micros < 0n ? -0.5 : 0.5)) / 1e6);
}
