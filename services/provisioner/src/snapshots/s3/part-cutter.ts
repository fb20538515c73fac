import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { StoredObject } from '../snapshot-store';

/** Buffers of one size, used over and over: fresh ones would wait for the garbage collector outside the heap, sixteen megabytes each. */
export class PartBuffers {
  private readonly free: Buffer[] = [];

  constructor(private readonly bytes: number) {}

  take(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(this.bytes);
  }

  /** Only once nothing reads it any more. */
  giveBack(part: Buffer): void {
    // A part that is not full is a view of its buffer.
    this.free.push(part.byteLength === this.bytes ? part : Buffer.from(part.buffer, 0, this.bytes));
  }
}

/** Cuts a stream into parts of one size, and digests what goes through. */
export class PartCutter {
  private readonly hash: Hash = createHash('sha256');
  private sizeBytes = 0;

  constructor(
    private readonly stream: Readable,
    private readonly buffers: PartBuffers,
  ) {}

  /** All full but the last; of an empty stream one, which is empty. @throws what the stream fails with */
  async *parts(): AsyncGenerator<Buffer> {
    let part = this.buffers.take();
    let filled = 0;
    let any = false;
    for await (const chunk of this.stream as AsyncIterable<Buffer>) {
      this.hash.update(chunk);
      this.sizeBytes += chunk.length;
      for (let at = 0; at < chunk.length;) {
        // Handed out only when there is more: so the last one is known as the last.
        if (filled === part.length) {
          yield part;
          any = true;
          part = this.buffers.take();
          filled = 0;
        }
        const copied = chunk.copy(part, filled, at);
        filled += copied;
        at += copied;
      }
    }
    if (filled > 0 || !any) yield part.subarray(0, filled);
  }

  /** Only once all parts are cut. */
  object(): StoredObject {
    return { sha256: this.hash.digest('hex'), sizeBytes: this.sizeBytes };
  }
}
