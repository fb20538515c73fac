import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KIB = 1_024;
const IN_ONE_FOLDER = 100;

/**
 * Fills a folder with so many MB: files of one size, in folders of a hundred. Of every two, one cannot be compressed, as archives and images cannot, and
 * one can, as text can.
 */
export function fill(folder: string, megabytes: number, fileBytes = 64 * KIB): void {
  const count = Math.ceil((megabytes * 1_000_000) / fileBytes);
  for (let n = 0; n < count; n += 1) {
    const place = join(folder, `part-${Math.floor(n / IN_ONE_FOLDER)}`);
    if (n % IN_ONE_FOLDER === 0) mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `file-${n}`), n % 2 === 0 ? randomBytes(fileBytes) : textOf(fileBytes));
  }
}

/** Lines that differ, which shrink to about a third. */
function textOf(bytes: number): Buffer {
  const lines: string[] = [];
  for (let size = 0; size < bytes; size += 64)
    lines.push(`${randomBytes(10).toString('hex')} and the same words in each of them ${size}\n`);
  return Buffer.from(lines.join('')).subarray(0, bytes);
}
