// @ts-check
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startTime } from './processes.mjs';

/** The name under which this process makes a folder that others must only see complete. @param {string} folder @param {string} name */
export function draftIn(folder, name) {
  return join(folder, `${name}.draft-${process.pid}`);
}

/** Remove what processes that were killed have left half-made. @param {string} folder */
export function clearDrafts(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const maker = /\.draft-(\d+)$/.exec(name)?.[1];
    if (maker && (Number(maker) === process.pid || startTime(Number(maker)) === null))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}
