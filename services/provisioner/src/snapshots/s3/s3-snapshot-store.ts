import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { assertKey } from '../object-key';
import { type DirectTransfer, SnapshotStoreError, type SnapshotStore, type StoredObject } from '../snapshot-store';
import { HalfUploads } from './half-uploads';
import { checksumIn, markIn, MultipartUpload, type Written } from './multipart-upload';
import { readableOf } from './object-stream';
import { PresignedTransfer } from './presigned-transfer';
import { S3Calls, s3Client } from './s3-calls';
import type { S3Settings } from './s3-settings';
import { uploadStream } from './upload-stream';

/**
 * Keeps objects in a bucket of S3, or of a service that speaks as it does. An object is sent in parts, and is there once these are put together:
 * under its key there is the whole object or none. Memory does not grow with the object.
 */
export class S3SnapshotStore implements SnapshotStore {
  readonly direct?: DirectTransfer;
  private readonly calls: S3Calls;
  private readonly halves: HalfUploads;

  constructor(private readonly settings: S3Settings) {
    this.calls = new S3Calls(s3Client(settings), settings.timeoutMs);
    this.halves = new HalfUploads(this.calls, settings);
    if (!settings.direct) return;
    this.direct = new PresignedTransfer(this.calls, settings, {
      keyOf: (key) => this.keyOf(key),
      assertFree: (key) => this.assertFree(key),
      confirm: (key, stored, written) => this.confirm(key, stored, written),
    });
  }

  async put(key: string, stream: Readable): Promise<StoredObject> {
    const objectKey = this.keyOrDestroy(key, stream);
    await this.assertFree(key).catch((error: unknown) => {
      stream.destroy();
      throw error;
    });
    const { stored, written } = await uploadStream(this.calls, this.settings, objectKey, stream);
    await this.confirm(key, stored, written);
    return stored;
  }

  async get(key: string): Promise<Readable> {
    const command = new GetObjectCommand({ Bucket: this.settings.bucket, Key: this.keyOf(key) });
    const { Body } = await this.calls.make(`cannot read ${key}`, (client) => client.send(command));
    return readableOf(Body as Readable, key);
  }

  async stat(key: string): Promise<{ sizeBytes: number; modifiedAt: Date } | null> {
    const head = await this.head(key);
    return head && { sizeBytes: head.ContentLength ?? 0, modifiedAt: head.LastModified ?? new Date(0) };
  }

  async delete(key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.settings.bucket, Key: this.keyOf(key) });
    await this.calls
      .make(`cannot delete ${key}`, (client, options) => client.send(command, options))
      .catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
  }

  async *list(prefix = ''): AsyncIterable<string> {
    const { bucket, prefix: root } = this.settings;
    for (let after: string | undefined; ;) {
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: root + prefix, ContinuationToken: after });
      const page = await this.calls.make('cannot list the snapshots', (client, options) => client.send(command, options));
      for (const { Key } of page.Contents ?? []) if (Key?.startsWith(root)) yield Key.slice(root.length);
      after = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (after === undefined) return;
    }
  }

  sweep(olderThanMs: number): Promise<number> {
    return this.halves.sweep(olderThanMs);
  }

  /** An upload is begun and given up: so it is known that one may, and no object comes of it. */
  async check(): Promise<void> {
    await this.assertBucket();
    const upload = await MultipartUpload.begin(this.calls, this.settings, `${this.settings.prefix}check`);
    await upload.giveUp();
  }

  /** Before the first byte is sent, and for stores that let a write replace what is there. @throws SnapshotStoreError `exists` */
  private async assertFree(key: string): Promise<void> {
    if ((await this.head(key)) !== null) throw taken(key);
  }

  /** Asks the store for what it has just written. @throws SnapshotStoreError `corrupt`; `exists` where another write came before */
  private async confirm(key: string, stored: Pick<StoredObject, 'sizeBytes'>, written: Written): Promise<void> {
    const head = await this.head(key);
    if (head === null) throw new SnapshotStoreError('io', `the store does not have ${key}, which it has just taken`);
    const isOurs = markIn(head) === written.mark || (written.etag !== undefined && head.ETag === written.etag);
    if (!isOurs) throw taken(key);
    const checksum = checksumIn(head, this.settings);
    const same =
      head.ContentLength === stored.sizeBytes &&
      (written.etag === undefined || head.ETag === written.etag) &&
      (written.checksum === undefined || checksum === undefined || checksum === written.checksum);
    if (same) return;
    await this.delete(key);
    throw new SnapshotStoreError('corrupt', `the store has ${head.ContentLength} bytes as ${key}, and was given ${stored.sizeBytes}`);
  }

  private async head(key: string): Promise<HeadObjectCommandOutput | null> {
    const { bucket, checksum } = this.settings;
    const mode = checksum === 'none' ? {} : { ChecksumMode: 'ENABLED' as const };
    const command = new HeadObjectCommand({ Bucket: bucket, Key: this.keyOf(key), ...mode });
    try {
      return await this.calls.make(`cannot find ${key}`, (client, options) => client.send(command, options));
    } catch (error) {
      if (!isMissing(error)) throw error;
      // The answer to HEAD has no body, so a bucket that is gone looks like an object that is: all snapshots would be taken for lost.
      await this.assertBucket();
      return null;
    }
  }

  private async assertBucket(): Promise<void> {
    const command = new HeadBucketCommand({ Bucket: this.settings.bucket });
    await this.calls
      .make('cannot find the bucket', (client, options) => client.send(command, options))
      .catch((error: unknown) => {
        throw isMissing(error) ? new SnapshotStoreError('denied', 'there is no such bucket', { cause: error }) : error;
      });
  }

  private keyOrDestroy(key: string, stream: Readable): string {
    try {
      return this.keyOf(key);
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  private keyOf(key: string): string {
    assertKey(key);
    return this.settings.prefix + key;
  }
}

function taken(key: string): SnapshotStoreError {
  return new SnapshotStoreError('exists', `there is an object ${key}, and nothing is overwritten`);
}

function isMissing(error: unknown): boolean {
  return error instanceof SnapshotStoreError && error.reason === 'missing';
}
