// @ts-check
import { createWriteStream, existsSync, renameSync, statSync } from 'node:fs';

const ROTATE_AT = 5 * 1024 * 1024;

/** Open a log for appending; one that has grown large becomes `.1` first, in place of the one before. @param {string} file */
export function openLog(file) {
  rotate(file);
  return createWriteStream(file, { flags: 'a', mode: 0o600 });
}

/** @param {string} file */
export function rotate(file) {
  if (existsSync(file) && statSync(file).size > ROTATE_AT) renameSync(file, `${file}.1`);
}
