import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Request } from './s3-request';
import type { Answer } from './s3-uploads';

const PAGE = 1_000;
const OBJECT = '._S3rver_object';

/** s3rver's own pages need DES, which today's OpenSSL does not have. Null for what is no listing, or for a bucket that is not there. */
export async function answerListing(directory: string, { operation, bucket, query }: S3Request): Promise<Answer | null> {
  if (operation !== 'ListObjectsV2') return null;
  const files = await readdir(join(directory, bucket), { recursive: true }).catch(() => null);
  if (files === null) return null;
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
  const keys = files
    .filter((file) => file.endsWith(OBJECT))
    .map((file) => file.slice(0, -OBJECT.length))
    .filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after)
    .sort();
  const page = keys.slice(0, PAGE);
  const isMore = keys.length > PAGE;
  const next = isMore ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64')}</NextContinuationToken>` : '';
  const contents = page.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('');
  const body = `<Name>${bucket}</Name><IsTruncated>${isMore}</IsTruncated>${next}${contents}`;
  return { status: 200, body: `<?xml version="1.0"?><ListBucketResult>${body}</ListBucketResult>` };
}
