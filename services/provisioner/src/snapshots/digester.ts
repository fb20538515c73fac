import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { IN_FLOW } from './flow';

/** Counts and digests what flows through. */
export class Digester extends Transform {
  bytes = 0;
  private readonly hash: Hash = createHash('sha256');
  private hex: string | undefined;

  constructor() {
    super({ highWaterMark: IN_FLOW });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }

  /** Only once the stream has ended. */
  sha256(): string {
    return (this.hex ??= this.hash.digest('hex'));
  }
}
