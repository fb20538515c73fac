import { type CompletedPart, PutObjectCommand } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { finished, type Readable } from 'node:stream';
import { isTaken, type StoredObject } from '../snapshot-store';
import { checksumIn, MultipartUpload, writeOptions, type Written } from './multipart-upload';
import { PartBuffers, PartCutter } from './part-cutter';
import type { S3Calls } from './s3-calls';
import type { S3Settings } from './s3-settings';

/** While one part is on its way, the next is filled and a third waits for neither: three buffers, whatever the stream's size. */
const AT_ONCE = 2;

/**
 * Sends a stream to the store, in one piece where one part holds it. Where anything fails, what was sent is given up, and the stream destroyed.
 * @throws SnapshotStoreError; what the stream fails with, as it is
 */
export async function uploadStream(
  calls: S3Calls,
  settings: S3Settings,
  key: string,
  stream: Readable,
): Promise<{ stored: StoredObject; written: Written }> {
  const upload = new StreamUpload(calls, settings, key, stream);
  try {
    return await upload.run();
  } catch (error) {
    stream.destroy();
    // That requests were broken off is only the echo of a stream that failed.
    throw upload.failure ?? error;
  }
}

class StreamUpload {
  /** What the stream failed with; where a part failed, that. */
  failure: Error | undefined;
  private readonly given = new AbortController();
  private readonly buffers: PartBuffers;
  private readonly sending = new Set<Promise<void>>();
  private readonly sent: CompletedPart[] = [];

  constructor(
    private readonly calls: S3Calls,
    private readonly settings: S3Settings,
    private readonly key: string,
    private readonly stream: Readable,
  ) {
    this.buffers = new PartBuffers(settings.partBytes);
    // It also hears a stream that fails before it is read from.
    finished(stream, { writable: false }, (error) => {
      if (!error) return;
      this.failure = error;
      // Parts that are on their way need not arrive.
      this.given.abort();
    });
  }

  async run(): Promise<{ stored: StoredObject; written: Written }> {
    const cutter = new PartCutter(this.stream, this.buffers);
    const parts = cutter.parts();
    const { value: first } = (await parts.next()) as { value: Buffer };
    if (first.length < this.settings.partBytes) {
      const written = await this.putWhole(first);
      return { written, stored: cutter.object() };
    }
    // Not broken off: an upload whose name nobody learnt could not be given up.
    const upload = await MultipartUpload.begin(this.calls, this.settings, this.key);
    try {
      await this.sendAll(upload, first, parts);
      const written = await upload.complete(this.sent);
      return { written, stored: cutter.object() };
    } catch (error) {
      this.given.abort();
      // A part that arrived after the upload was given up would stay for good.
      await Promise.allSettled(this.sending);
      await upload.giveUp();
      throw error;
    }
  }

  private async putWhole(body: Buffer): Promise<Written> {
    const mark = randomUUID();
    const request = { Bucket: this.settings.bucket, Key: this.key, Body: body, ...writeOptions(this.settings, mark) };
    try {
      const answer = await this.calls.whereFree((condition) => {
        const command = new PutObjectCommand({ ...request, ...condition });
        return this.calls.make('cannot store the snapshot', (client, options) => client.send(command, options));
      });
      return { mark, etag: answer.ETag, checksum: checksumIn(answer, this.settings) };
    } catch (error) {
      // By itself, where the SDK repeated a call whose answer was lost. The caller looks.
      if (isTaken(error)) return { mark, etag: undefined, checksum: undefined };
      throw error;
    }
  }

  private async sendAll(upload: MultipartUpload, first: Buffer, rest: AsyncIterable<Buffer>): Promise<void> {
    let number = 1;
    this.send(upload, number, first);
    for await (const part of rest) {
      while (this.sending.size >= AT_ONCE) await Promise.race(this.sending);
      this.send(upload, ++number, part);
    }
    await Promise.all(this.sending);
  }

  private send(upload: MultipartUpload, number: number, body: Buffer): void {
    const sending = upload.part(number, body, this.given.signal).then((part) => {
      this.sent.push(part);
      this.buffers.giveBack(body);
      this.sending.delete(sending);
    });
    // The stream may stand still for long: it is through it that the failure comes to whoever waits for the next part.
    sending.catch((error: Error) => this.stream.destroy(error));
    this.sending.add(sending);
  }
}
