import type { IncomingMessage } from 'node:http';

export type Operation =
  | 'PutObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'HeadBucket'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'
  | 'ListParts'
  | 'unknown';

/** One request, as S3 reads it. */
export interface S3Request {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

const OF_BUCKETS: readonly [method: string, query: string | null, Operation][] = [
  ['HEAD', null, 'HeadBucket'],
  ['GET', 'uploads', 'ListMultipartUploads'],
  ['GET', null, 'ListObjectsV2'],
];

const OF_OBJECTS: readonly [method: string, query: string | null, Operation][] = [
  ['POST', 'uploads', 'CreateMultipartUpload'],
  ['POST', 'uploadId', 'CompleteMultipartUpload'],
  ['PUT', 'uploadId', 'UploadPart'],
  ['DELETE', 'uploadId', 'AbortMultipartUpload'],
  ['GET', 'uploadId', 'ListParts'],
  ['PUT', null, 'PutObject'],
  ['GET', null, 'GetObject'],
  ['HEAD', null, 'HeadObject'],
  ['DELETE', null, 'DeleteObject'],
];

export function readRequest({ method, url, headers }: IncomingMessage): S3Request {
  const { pathname, searchParams: query } = new URL(url ?? '/', 'http://s3');
  const [, bucket = '', ...rest] = decodeURIComponent(pathname).split('/');
  const key = rest.join('/');
  const rules = key === '' ? OF_BUCKETS : OF_OBJECTS;
  const found = rules.find(([name, parameter]) => name === method && (parameter === null || query.has(parameter)));
  return { operation: found?.[2] ?? 'unknown', bucket, key, query, headers };
}
