import { createHash } from 'node:crypto';
import { crc32 } from './crc32';
import type { S3Request } from './s3-request';

/** What S3 answers where the body is not what the request's headers say, or null. */
export function refusalOf({ headers }: S3Request, body: Buffer): string | null {
  const signed = headers['x-amz-content-sha256'];
  if (typeof signed === 'string' && /^[0-9a-f]{64}$/.test(signed) && signed !== digest('sha256', body).toString('hex')) {
    return 'XAmzContentSHA256Mismatch';
  }
  const told: [header: string, found: () => string][] = [
    ['content-md5', () => digest('md5', body).toString('base64')],
    ['x-amz-checksum-sha256', () => digest('sha256', body).toString('base64')],
    ['x-amz-checksum-crc32', () => crc32(body).toString('base64')],
  ];
  return told.some(([header, found]) => headers[header] !== undefined && headers[header] !== found()) ? 'BadDigest' : null;
}

function digest(algorithm: string, body: Buffer): Buffer {
  return createHash(algorithm).update(body).digest();
}
