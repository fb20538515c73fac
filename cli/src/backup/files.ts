import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Digest {
  sha256: string;
  bytes: number;
}

/** Passes everything on, and knows its size and digest at the end. */
export class Measure extends Transform {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }

  /** Once, when all has passed. */
  digest(): Digest {
    return { sha256: this.hash.digest('hex'), bytes: this.bytes };
  }
}

/** A new file that nobody else may read, on the disk when it is closed. */
export function newFile(path: string): WriteStream {
  return createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true });
}

export async function digestOf(path: string): Promise<Digest> {
  const measure = new Measure();
  measure.resume();
  await pipeline(createReadStream(path), measure);
  return measure.digest();
}

/** Copies into a new file. @returns what was copied */
export async function copyFile(from: string, to: string): Promise<Digest> {
  const measure = new Measure();
  await pipeline(createReadStream(from), measure, newFile(to));
  return measure.digest();
}

/** A name in a folder is on the disk only once the folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;
