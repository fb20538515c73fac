import { createHash, type Hash } from 'node:crypto';
import { Writable } from 'node:stream';

/** Sends what is written to it in parts of one size: one is filled while the one before is on its way. */
export class PartSender extends Writable {
  sizeBytes = 0;
  private readonly hash: Hash = createHash('sha256');
  private hex: string | undefined;
  private part: Buffer;
  private spare: Buffer;
  private filled = 0;
  private number = 0;
  private sending: Promise<void> = Promise.resolve();

  constructor(
    partBytes: number,
    private readonly send: (number: number, body: Buffer) => Promise<void>,
  ) {
    super();
    this.part = Buffer.allocUnsafeSlow(partBytes);
    this.spare = Buffer.allocUnsafeSlow(partBytes);
  }

  /** Only once it has finished. */
  sha256(): string {
    return (this.hex ??= this.hash.digest('hex'));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.take(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.hand()
      .then(() => this.sending)
      .then(() => done(), done);
  }

  private async take(chunk: Buffer): Promise<void> {
    this.hash.update(chunk);
    this.sizeBytes += chunk.length;
    for (let at = 0; at < chunk.length;) {
      // Only when there is more: all parts but the last are full, and the last is not empty.
      if (this.filled === this.part.length) await this.hand();
      const copied = chunk.copy(this.part, this.filled, at);
      this.filled += copied;
      at += copied;
    }
  }

  private async hand(): Promise<void> {
    await this.sending;
    this.number += 1;
    this.sending = this.send(this.number, this.part.subarray(0, this.filled));
    // Told when the next part is handed over, or at the end.
    this.sending.catch(() => undefined);
    [this.part, this.spare] = [this.spare, this.part];
    this.filled = 0;
  }
}
