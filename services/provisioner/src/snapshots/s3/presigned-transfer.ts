import { GetObjectCommand, type CompletedPart, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { type DirectTransfer, type DirectUpload, SnapshotStoreError, type StoredObject } from '../snapshot-store';
import { MultipartUpload, tooLarge, type Written } from './multipart-upload';
import { type S3Calls, s3Client } from './s3-calls';
import type { S3Settings } from './s3-settings';

/** In seconds. Each address is used at once; only a pod that stood still in between comes later. */
const VALID = { expiresIn: 900 };

/** What the store itself does for a transfer too. */
export interface StoreSide {
  keyOf(key: string): string;
  assertFree(key: string): Promise<void>;
  confirm(key: string, stored: Pick<StoredObject, 'sizeBytes'>, written: Written): Promise<void>;
}

/**
 * Addresses that carry their own permission, each for one object or one part of one. Uploads are multipart ones, so that no object is too large, and
 * begun and completed here: what a pod sends is seen by nobody until the provisioner puts it in place.
 */
export class PresignedTransfer implements DirectTransfer {
  /** Addresses are signed for the host that they name. */
  private readonly signer: S3Client;

  constructor(
    private readonly calls: S3Calls,
    private readonly settings: S3Settings,
    private readonly store: StoreSide,
  ) {
    this.signer = settings.podEndpoint === undefined ? calls.client : s3Client(settings, settings.podEndpoint);
  }

  async upload(key: string): Promise<DirectUpload> {
    await this.store.assertFree(key);
    // Additional checksums would have to be known when a part's address is signed. The pod's parts go without; the object is read back in any case.
    const upload = await MultipartUpload.begin(this.calls, { ...this.settings, checksum: 'none' }, this.store.keyOf(key));
    return {
      partBytes: this.settings.partBytes,
      addressOfPart: (number) => this.addressOfPart(upload, number),
      complete: async (parts, sizeBytes) => {
        const completed = parts.map<CompletedPart>(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
        await this.store.confirm(key, { sizeBytes }, await upload.complete(completed));
      },
      giveUp: () => upload.giveUp(),
    };
  }

  addressOfDownload(key: string): Promise<string> {
    return getSignedUrl(this.signer, new GetObjectCommand({ Bucket: this.settings.bucket, Key: this.store.keyOf(key) }), VALID);
  }

  private async addressOfPart(upload: MultipartUpload, number: number): Promise<string> {
    if (number > this.settings.maxParts) throw new SnapshotStoreError('no_space', tooLarge(this.settings));
    return getSignedUrl(this.signer, new UploadPartCommand({ ...upload.address, PartNumber: number }), VALID);
  }
}
