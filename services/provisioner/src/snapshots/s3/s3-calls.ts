import { S3Client } from '@aws-sdk/client-s3';
import { asStoreError, isAnswer } from './s3-errors';
import type { S3Settings } from './s3-settings';

/** A connection that takes longer than this is taken to be none. */
const CONNECT_MS = 5_000;
/** What the SDK makes of each call before it gives up, with growing pauses between. */
const ATTEMPTS = 3;

/** @param endpoint where the store is reached, if not where the settings say */
export function s3Client(settings: S3Settings, endpoint = settings.endpoint): S3Client {
  return new S3Client({
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    // Asked for where it is wanted: stores that are not AWS refuse or misread checksums that they do not know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: ATTEMPTS,
    // No silence lasts longer than this, in the middle of a request or an answer either.
    requestHandler: { connectionTimeout: Math.min(CONNECT_MS, settings.timeoutMs), socketTimeout: settings.timeoutMs },
  });
}

/** Calls of one store: each comes to an end, and fails with an error of the store. */
export class S3Calls {
  /** Not every store knows conditional writes: whether this one has said so. */
  private conditional = true;

  constructor(
    readonly client: S3Client,
    private readonly timeoutMs: number,
  ) {}

  /**
   * A silence ends each attempt; this ends all of them together, also where a byte comes now and then.
   * @param longer how many times as long as other calls it may take
   * @throws SnapshotStoreError
   */
  async make<T>(
    doing: string,
    call: (client: S3Client, options: { abortSignal: AbortSignal }) => Promise<T>,
    { signal, longer = 1 }: { signal?: AbortSignal; longer?: number } = {},
  ): Promise<T> {
    const limit = AbortSignal.timeout(this.timeoutMs * (ATTEMPTS + 1) * longer);
    try {
      return await call(this.client, { abortSignal: signal ? AbortSignal.any([limit, signal]) : limit });
    } catch (error) {
      throw asStoreError(error, doing);
    }
  }

  /** A call that writes only where its key is free, as far as the store can see to that. @throws SnapshotStoreError `exists` */
  async whereFree<T>(call: (condition: { IfNoneMatch?: '*' }) => Promise<T>): Promise<T> {
    if (!this.conditional) return call({});
    try {
      return await call({ IfNoneMatch: '*' });
    } catch (error) {
      if (!isAnswer(error, 'NotImplemented')) throw error;
      this.conditional = false;
      return call({});
    }
  }
}
