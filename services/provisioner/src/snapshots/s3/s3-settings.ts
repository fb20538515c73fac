/** What the S3 store is told. */
export interface S3Settings {
  readonly bucket: string;
  /** Before every key; empty, or with a slash at its end. */
  readonly prefix: string;
  readonly region: string;
  /** Another service than AWS. */
  readonly endpoint?: string;
  /** Where pods reach the service, when that is another address than ours. */
  readonly podEndpoint?: string;
  /** The bucket in the path instead of in the host's name. */
  readonly forcePathStyle: boolean;
  /** Without: what the SDK finds by itself (environment, profile, web identity, instance role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly encryption: 'none' | 'AES256' | 'aws:kms';
  /** With `aws:kms`; without, the account's own key. */
  readonly kmsKeyId?: string;
  /** Besides the digest that signs each request, and that every S3 checks: one that the store keeps with the object. */
  readonly checksum: 'none' | 'CRC32' | 'SHA256';
  /** Of all parts but the last; at least 5 MiB. */
  readonly partBytes: number;
  /** How many parts an object may have. */
  readonly maxParts: number;
  /** How long the store may be silent. */
  readonly timeoutMs: number;
  /** Whether pods may be given addresses of the store. */
  readonly direct: boolean;
}
