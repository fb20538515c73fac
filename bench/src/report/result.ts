import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Line } from '../harness/line';
import type { Machine } from './machine';

/** A whole run, as it is kept. */
export interface Result {
  readonly machine: Machine;
  /** Too short to say anything. */
  readonly quick: boolean;
  /** With profilers at work. */
  readonly profile: boolean;
  readonly seconds: number;
  readonly lines: readonly Line[];
  /** Rows that could not be measured. */
  readonly failed: readonly string[];
}

/** Keeps it under `latest`; one that is no measurement, or not of all rows, under another name. */
export async function writeResult(folder: string, result: Result & { rows: readonly string[] }): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const whole = !result.quick && !result.profile && result.rows.length === 0;
  const { machine, quick, profile, seconds, lines, failed } = result;
  const name = whole ? 'latest' : 'partial';
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine, quick, profile, seconds, failed, lines }, null, 2)}\n`);
  await Promise.resolve();
}
