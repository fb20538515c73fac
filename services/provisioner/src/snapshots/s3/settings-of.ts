import type { StoreSettings } from '../../snapshot-store.config';
import type { S3Settings } from './s3-settings';

const MEBIBYTE = 1024 * 1024;
/** The limit of S3, and of what is like it. */
const MAX_PARTS = 10_000;

/** The store's settings, as the configuration has them. */
export function settingsOf(config: StoreSettings): S3Settings {
  const { s3Endpoint: endpoint, s3PodEndpoint: podEndpoint, s3KmsKeyId: kmsKeyId } = config;
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = config;
  return {
    bucket: config.s3Bucket,
    prefix: config.s3Prefix === undefined ? '' : `${config.s3Prefix}/`,
    region: config.s3Region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(podEndpoint === undefined ? {} : { podEndpoint }),
    forcePathStyle: config.s3ForcePathStyle,
    ...(accessKeyId === undefined || secretAccessKey === undefined ? {} : { credentials: { accessKeyId, secretAccessKey } }),
    encryption: config.s3Sse,
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    checksum: config.s3Checksum,
    partBytes: config.s3PartMb * MEBIBYTE,
    maxParts: MAX_PARTS,
    timeoutMs: config.s3TimeoutSeconds * 1_000,
    direct: config.s3Transfer === 'direct',
  };
}
