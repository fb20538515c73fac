import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import S3rver from 's3rver';

export const BUCKET = 'snapshots';

/**
 * s3rver on a free port, with what it does wrong put right: it writes an object over the one that is being read, answers before the bytes are in the
 * file, and keeps the half of a request that broke off.
 */
export async function startS3rver(directory: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const buckets = [{ name: BUCKET }];
  const options = { address: '127.0.0.1', port: 0, silent: true, vhostBuckets: false, configureBuckets: buckets };
  const server = new S3rver({ ...options, directory });
  const { store } = server;
  store.putObject = async ({ bucket, key, content, metadata }) => {
    const path = store.getResourcePath(bucket, key, 'object');
    await mkdir(dirname(path), { recursive: true });
    const written = await writeAside(content, path);
    await store.putMetadata(bucket, key, metadata, written.md5);
    return written;
  };
  store.putPart = async (bucket, uploadId, partNumber, content) => {
    const path = join(store.getResourcePath(bucket, undefined, 'uploads'), uploadId, partNumber);
    const written = await writeAside(content, path);
    await writeFile(`${path}.md5`, written.md5);
    return written;
  };
  const { port } = await server.run();
  return {
    port,
    stop: async () => {
      server.httpServer.closeAllConnections();
      await server.close();
    },
  };
}

async function writeAside(content: NodeJS.ReadableStream, path: string): Promise<{ size: number; md5: string }> {
  const aside = `${path}.${randomUUID()}`;
  const hash = createHash('md5');
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    await pipeline(content, count, createWriteStream(aside));
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  return { size, md5: hash.digest('hex') };
}
