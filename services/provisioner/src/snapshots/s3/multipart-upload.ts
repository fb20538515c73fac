import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CompletedPart,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { isTaken, SnapshotStoreError } from '../snapshot-store';
import type { S3Calls } from './s3-calls';
import { isAnswer } from './s3-errors';
import type { S3Settings } from './s3-settings';

/** Putting the parts of a large object together takes the store a while, in which it sends a blank now and then. */
const COMPLETION = 10;

/** How the store names what it wrote; undefined where it did not tell. */
export interface Written {
  /** What this write called itself. By it the object is known for its own, whatever answer was lost. */
  readonly mark: string;
  readonly etag: string | undefined;
  readonly checksum: string | undefined;
}

const MARK = 'reprise-write';

/** What an object says of the write that made it. */
export function markIn({ Metadata }: { Metadata?: Record<string, string> | undefined }): string | undefined {
  return Metadata?.[MARK];
}

/** How objects are written: what every request that begins one says. */
export function writeOptions({ encryption, kmsKeyId, checksum }: S3Settings, mark: string) {
  return {
    Metadata: { [MARK]: mark },
    ...(encryption === 'none' ? {} : { ServerSideEncryption: encryption }),
    ...(encryption === 'aws:kms' && kmsKeyId !== undefined ? { SSEKMSKeyId: kmsKeyId } : {}),
    ...(checksum === 'none' ? {} : { ChecksumAlgorithm: checksum }),
  };
}

/** What the store says the object's own checksum is, of the kind that was asked for. */
export function checksumIn(
  answer: { ChecksumCRC32?: string | undefined; ChecksumSHA256?: string | undefined },
  { checksum }: S3Settings,
): string | undefined {
  if (checksum === 'CRC32') return answer.ChecksumCRC32;
  return checksum === 'SHA256' ? answer.ChecksumSHA256 : undefined;
}

/** One object on its way in parts. Until it is completed nothing of it can be seen under its key. */
export class MultipartUpload {
  private constructor(
    private readonly calls: S3Calls,
    private readonly settings: S3Settings,
    private readonly key: string,
    private readonly mark: string,
    readonly uploadId: string,
  ) {}

  /** @throws SnapshotStoreError */
  static async begin(calls: S3Calls, settings: S3Settings, key: string): Promise<MultipartUpload> {
    const mark = randomUUID();
    const command = new CreateMultipartUploadCommand({ Bucket: settings.bucket, Key: key, ...writeOptions(settings, mark) });
    const { UploadId } = await calls.make('cannot begin to store the snapshot', (client, options) => client.send(command, options));
    if (UploadId === undefined) throw new SnapshotStoreError('io', 'cannot begin to store the snapshot: the store names no upload');
    return new MultipartUpload(calls, settings, key, mark, UploadId);
  }

  /** The store checks the part against the digest that signs the request. @throws SnapshotStoreError */
  async part(number: number, body: Buffer, signal: AbortSignal): Promise<CompletedPart> {
    if (number > this.settings.maxParts) throw new SnapshotStoreError('no_space', tooLarge(this.settings));
    const { checksum } = this.settings;
    const command = new UploadPartCommand({
      ...this.address,
      PartNumber: number,
      Body: body,
      ...(checksum === 'none' ? {} : { ChecksumAlgorithm: checksum }),
    });
    const answer = await this.calls.make('cannot store the snapshot', (client, options) => client.send(command, options), { signal });
    return {
      PartNumber: number,
      ETag: answer.ETag,
      ...(answer.ChecksumCRC32 === undefined ? {} : { ChecksumCRC32: answer.ChecksumCRC32 }),
      ...(answer.ChecksumSHA256 === undefined ? {} : { ChecksumSHA256: answer.ChecksumSHA256 }),
    };
  }

  /** From here on the object is there, where its key was free. @throws SnapshotStoreError */
  async complete(parts: readonly CompletedPart[]): Promise<Written> {
    const inOrder = [...parts].sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    const request = { ...this.address, MultipartUpload: { Parts: inOrder } };
    const { mark } = this;
    try {
      const answer = await this.calls.whereFree((condition) => {
        const command = new CompleteMultipartUploadCommand({ ...request, ...condition });
        return this.calls.make('cannot complete the snapshot', (client, options) => client.send(command, options), { longer: COMPLETION });
      });
      return { mark, etag: answer.ETag, checksum: checksumIn(answer, this.settings) };
    } catch (error) {
      // The SDK repeats a call whose answer was lost: a completed upload is known no more, and its key is taken by itself. The caller looks.
      if (isTaken(error)) await this.giveUp();
      if (isAnswer(error, 'NoSuchUpload') || isTaken(error)) return { mark, etag: undefined, checksum: undefined };
      throw error;
    }
  }

  /** What cannot be given up now is left to the sweep. Never rejects. */
  async giveUp(): Promise<void> {
    const command = new AbortMultipartUploadCommand(this.address);
    await this.calls.make('cannot give up the snapshot', (client, options) => client.send(command, options)).catch(() => undefined);
  }

  get address(): { Bucket: string; Key: string; UploadId: string } {
    return { Bucket: this.settings.bucket, Key: this.key, UploadId: this.uploadId };
  }
}

export function tooLarge({ partBytes, maxParts }: Pick<S3Settings, 'partBytes' | 'maxParts'>): string {
  return `the snapshot has more than ${maxParts} parts of ${partBytes / 1024 / 1024} MiB, which is all that S3 takes: raise S3_PART_MB`;
}
