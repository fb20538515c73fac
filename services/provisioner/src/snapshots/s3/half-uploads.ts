import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand, type MultipartUpload } from '@aws-sdk/client-s3';
import type { S3Calls } from './s3-calls';
import { isAnswer } from './s3-errors';
import type { S3Settings } from './s3-settings';

/** Uploads that were begun and neither completed nor given up: their parts take room, and nobody sees them. */
export class HalfUploads {
  constructor(
    private readonly calls: S3Calls,
    private readonly settings: S3Settings,
  ) {}

  /** Gives up those that no part came to for this long. @throws SnapshotStoreError */
  async sweep(olderThanMs: number): Promise<number> {
    const before = Date.now() - olderThanMs;
    let swept = 0;
    for await (const upload of this.all()) {
      if ((upload.Initiated?.getTime() ?? 0) >= before || (await this.lastPart(upload)) >= before) continue;
      await this.giveUp(upload);
      swept += 1;
    }
    return swept;
  }

  private async *all(): AsyncIterable<MultipartUpload> {
    const { bucket, prefix } = this.settings;
    for (let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; after !== undefined;) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...after });
      const page = await this.calls.make('cannot list half-written snapshots', (client, options) => client.send(command, options));
      yield* page.Uploads ?? [];
      after = page.IsTruncated
        ? {
            ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
            ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : undefined;
    }
  }

  /** When the newest part came, or 0. An upload of many hours is not dead because it is old. */
  private async lastPart({ Key, UploadId }: MultipartUpload): Promise<number> {
    let last = 0;
    for (let after: string | undefined; ;) {
      const command: ListPartsCommand = new ListPartsCommand({ Bucket: this.settings.bucket, Key, UploadId, PartNumberMarker: after });
      const page = await this.calls
        .make('cannot look at a half-written snapshot', (client, options) => client.send(command, options))
        .catch(unlessGone);
      for (const { LastModified } of page?.Parts ?? []) last = Math.max(last, LastModified?.getTime() ?? 0);
      after = page?.IsTruncated ? page.NextPartNumberMarker : undefined;
      if (after === undefined) return last;
    }
  }

  private async giveUp({ Key, UploadId }: MultipartUpload): Promise<void> {
    const command = new AbortMultipartUploadCommand({ Bucket: this.settings.bucket, Key, UploadId });
    await this.calls.make('cannot remove a half-written snapshot', (client, options) => client.send(command, options)).catch(unlessGone);
  }
}

/** Another replica sweeps too. */
function unlessGone(error: unknown): undefined {
  if (!isAnswer(error, 'NoSuchUpload')) throw error;
}
