import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Request } from './s3-request';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function errorAnswer(status: number, code: string): Answer {
  return {
    status,
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret-detail</Message><RequestId>1</RequestId></Error>`,
  };
}

interface Upload {
  readonly id: string;
  readonly key: string;
  readonly begun: Date;
  readonly parts: readonly { number: number; at: Date }[];
}

/** What s3rver answers with an error although S3 has it: uploads in progress, from s3rver's own directory of them. Null for all else. */
export async function answerUpload(directory: string, asked: S3Request): Promise<Answer | null> {
  const { operation, bucket, key, query } = asked;
  const root = join(directory, bucket, '._S3rver_uploads');
  switch (operation) {
    case 'ListMultipartUploads':
      return listUploads(await uploadsIn(root), bucket, query);
    case 'ListParts':
      return listParts(await find(root, key, query));
    case 'AbortMultipartUpload': {
      const upload = await find(root, key, query);
      if (upload === undefined) return errorAnswer(404, 'NoSuchUpload');
      await rm(join(root, upload.id), { recursive: true });
      return { status: 204, body: '' };
    }
    case 'UploadPart':
    case 'CompleteMultipartUpload':
      return (await find(root, key, query)) === undefined ? errorAnswer(404, 'NoSuchUpload') : null;
    default:
      return null;
  }
}

/** In pages of two, so that there is more than one. */
function listUploads(all: readonly Upload[], bucket: string, query: URLSearchParams): Answer {
  const marker = query.get('upload-id-marker');
  const from = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1;
  const page = all.filter(({ key }) => key.startsWith(query.get('prefix') ?? '')).slice(from, from + 2);
  const last = page.at(-1);
  const isMore = last !== undefined && last !== all.at(-1);
  const next = isMore ? `<NextKeyMarker>${last.key}</NextKeyMarker><NextUploadIdMarker>${last.id}</NextUploadIdMarker>` : '';
  const uploads = page.map(
    ({ id, key, begun }) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begun.toISOString()}</Initiated></Upload>`,
  );
  const body = `<Bucket>${bucket}</Bucket><IsTruncated>${isMore}</IsTruncated>${next}${uploads.join('')}`;
  return { status: 200, body: `<?xml version="1.0"?><ListMultipartUploadsResult>${body}</ListMultipartUploadsResult>` };
}

function listParts(upload: Upload | undefined): Answer {
  if (upload === undefined) return errorAnswer(404, 'NoSuchUpload');
  const parts = upload.parts.map(
    ({ number, at }) => `<Part><PartNumber>${number}</PartNumber><LastModified>${at.toISOString()}</LastModified></Part>`,
  );
  return {
    status: 200,
    body: `<?xml version="1.0"?><ListPartsResult><IsTruncated>false</IsTruncated>${parts.join('')}</ListPartsResult>`,
  };
}

async function find(root: string, key: string, query: URLSearchParams): Promise<Upload | undefined> {
  return (await uploadsIn(root)).find((upload) => upload.id === query.get('uploadId') && upload.key === key);
}

export async function uploadsIn(root: string): Promise<Upload[]> {
  const ids = await readdir(root).catch(() => []);
  const read = ids.sort().map(async (id): Promise<Upload[]> => {
    try {
      const file = join(root, id, 'key');
      const names = (await readdir(join(root, id))).filter((name) => /^\d+$/.test(name));
      const parts = names.map(async (name) => ({ number: Number(name), at: (await stat(join(root, id, name))).mtime }));
      return [{ id, key: await readFile(file, 'utf8'), begun: (await stat(file)).mtime, parts: await Promise.all(parts) }];
    } catch {
      // Completed or given up while it was looked at.
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}
