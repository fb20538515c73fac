import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Line } from '../harness/line';
import type { Machine } from './machine';
import { plotOf } from './plot';

/** A whole run, as it is kept. */
export interface Result {
  readonly machine: Machine;
  /** Too short to say anything. */
  readonly quick: boolean;
  /** With profilers at work. */
  readonly profile: boolean;
  readonly seconds: number;
  /** How long each row took, with all that it needs. */
  readonly rowSeconds: Readonly<Record<string, number>>;
  readonly lines: readonly Line[];
  /** Rows that could not be measured. */
  readonly failed: readonly string[];
}

/**
 * Keeps it as JSON and as a plot: under `latest` where all rows were measured as they are to be, under `partial` else.
 * @returns the files, without their endings
 */
export function writeResult(folder: string, result: Result, whole: boolean): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, whole && !result.quick && !result.profile ? 'latest' : 'partial');
  const { machine, lines, quick } = result;
  const day = machine.startedAt.slice(0, 10);
  const title = `Reprise ${machine.commit ?? ''} on ${machine.cores} cores, ${day}${quick ? ' (quick: no measurement)' : ''}`;
  writeFileSync(`${file}.json`, `${JSON.stringify(result, shorter, 2)}\n`);
  writeFileSync(`${file}.svg`, plotOf(lines, title));
  return file;
}

/** No figure is better known than to five digits. */
function shorter(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
