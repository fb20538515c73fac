import type { Readable } from 'node:stream';

/**
 * The port behind which snapshots are kept: whole objects under keys, nothing about tar or compression. An object is
 * either complete and durable under its key, or not there.
 */
export interface SnapshotStore {
  /**
   * Reads the stream to its end and keeps it. Resolves only when the bytes are durable: a power cut after that does not
   * lose them. Where the stream fails, nothing is kept and the stream's own error is thrown. An object that is there
   * under this key stays as it is.
   * @throws SnapshotStoreError `exists` where the key is taken
   */
  put(key: string, stream: Readable): Promise<StoredObject>;

  /** The bytes as they were put. @throws SnapshotStoreError `missing`; a failure in the middle destroys the stream with one */
  get(key: string): Promise<Readable>;

  /** Null where there is no such object. @throws SnapshotStoreError */
  stat(key: string): Promise<{ sizeBytes: number; modifiedAt: Date } | null>;

  /** Resolves also where there is no such object. @throws SnapshotStoreError */
  delete(key: string): Promise<void>;

  /** The keys that begin with this prefix, in no particular order. @throws SnapshotStoreError */
  list(prefix?: string): AsyncIterable<string>;

  /** Removes what interrupted puts left behind and nothing touched for this long. Resolves to how many. */
  sweep(olderThanMs: number): Promise<number>;

  /** Whether the store is there and may be written to. Leaves nothing in it. @throws SnapshotStoreError */
  check(): Promise<void>;

  /** How pods reach the store by themselves. Absent where they cannot. */
  readonly direct?: DirectTransfer;
}

/**
 * Transfers between a pod and the store, past the provisioner. Whoever has one of the addresses may do the one thing that it is for: they are secrets,
 * for a short while, and never stand in a log or in an error.
 */
export interface DirectTransfer {
  /** Begins an object that a pod sends in parts. Nothing of it can be seen until it is completed. @throws SnapshotStoreError */
  upload(key: string): Promise<DirectUpload>;

  /** Where the object's bytes can be fetched by GET. Does not ask whether it is there. @throws SnapshotStoreError */
  addressOfDownload(key: string): Promise<string>;
}

export interface DirectUpload {
  /** What every part but the last must have; the last may have less. */
  readonly partBytes: number;

  /** Where this part is to be sent by PUT; the first is number 1. @throws SnapshotStoreError `no_space` past the last that there can be */
  addressOfPart(number: number): Promise<string>;

  /**
   * Puts the parts together, as `put` would have put the bytes.
   * @throws SnapshotStoreError `corrupt` where the store has another number of bytes, `exists` where the key is taken
   */
  complete(parts: readonly DirectPart[], sizeBytes: number): Promise<void>;

  /** Forgets the parts. What cannot be forgotten now is left to the sweep. Never rejects. */
  giveUp(): Promise<void>;
}

export interface DirectPart {
  readonly number: number;
  /** How the store named what it got. */
  readonly etag: string;
}

export interface StoredObject {
  /** Of the stored bytes, in hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export type SnapshotStoreErrorReason =
  /** No room. Retryable, later. */
  | 'no_space'
  /** Not allowed to read or write there. Final until someone changes that. */
  | 'denied'
  /** No such object. Final. */
  | 'missing'
  /** The key is taken. Nothing is ever overwritten. Retryable: another attempt has another key. */
  | 'exists'
  /** The stored bytes are not what was put, or not a snapshot. Final: take it again. */
  | 'corrupt'
  /** It is beyond the limits of a snapshot. Final. */
  | 'too_large'
  /** The key is not one. Final. */
  | 'bad_key'
  /** Anything else the storage answered. Retryable. */
  | 'io';

/** Whether what is there under the key is another's. */
export function isTaken(error: unknown): boolean {
  return error instanceof SnapshotStoreError && error.reason === 'exists';
}

const RETRYABLE: ReadonlySet<SnapshotStoreErrorReason> = new Set<SnapshotStoreErrorReason>(['no_space', 'exists', 'io']);

export class SnapshotStoreError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly reason: SnapshotStoreErrorReason,
    readonly detail: string,
    options?: { cause?: unknown },
  ) {
    super(`${reason}: ${detail}`, options);
    this.name = 'SnapshotStoreError';
    this.retryable = RETRYABLE.has(reason);
  }
}
