/** As much of s3rver as the tests use; it comes without types. */
declare module 's3rver' {
  import type { Server } from 'node:http';

  interface StoredBody {
    readonly bucket: string;
    readonly key: string;
    readonly content: NodeJS.ReadableStream;
    readonly metadata: Record<string, unknown>;
  }

  class S3rver {
    constructor(options: {
      address: string;
      port: number;
      directory: string;
      silent: boolean;
      vhostBuckets: boolean;
      configureBuckets: { name: string }[];
    });
    readonly store: {
      getResourcePath(bucket: string, key: string | undefined, resource: string): string;
      putMetadata(bucket: string, key: string, metadata: Record<string, unknown>, md5: string): Promise<void>;
      putObject(object: StoredBody): Promise<{ size: number; md5: string }>;
      putPart(bucket: string, uploadId: string, partNumber: string, content: NodeJS.ReadableStream): Promise<{ size: number; md5: string }>;
    };
    httpServer: Server;
    run(): Promise<{ port: number }>;
    close(): Promise<void>;
  }
  export = S3rver;
}
