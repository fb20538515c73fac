import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Transform } from 'node:stream';
import { type BrotliOptions, constants, createBrotliCompress, createBrotliDecompress, createGunzip } from 'node:zlib';
import { IN_FLOW } from './flow';
import { SnapshotStoreError } from './snapshot-store';

/** How a snapshot's tar is compressed, by the names that HTTP has for it (RFC 9110, 8.4.1). */
export type Encoding = 'br' | 'gzip';

/** What snapshots are written in. They are read in any: `gzip` is what older ones have, and what an agent sends that knows no other. */
export const ENCODING = 'br';

/** Each chunk that is filled is a turn of the thread pool. The second goes to the stream, and has no place in the types of zlib's options. */
const STREAM = { chunkSize: IN_FLOW, highWaterMark: IN_FLOW };
/** What the compressor is given at a time, at least: each is a turn of the thread pool, and of smaller pieces it makes smaller blocks. */
export const COMPRESSED_AT_ONCE = 128 * 1024;
/** Of 64 KiB, and so are its blocks: in larger ones what does not shrink is not noticed among what does, and is as slow to read. */
const WINDOW_BITS = 16;
/**
 * The pod waits while this runs. Measured, a MB of text and one of random bytes: brotli at quality 1 takes 3.4 and 0.6 ms of a processor, gzip at its
 * lowest level 9.8 and 18 (docs/adr/0025-snapshots-in-brotli.md).
 */
const QUALITY = 1;

/** Compresses what flows through, as `ENCODING` says. Memory does not grow with it. */
export function compressor(): Transform {
  const params = { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS };
  return createBrotliCompress({ params, ...STREAM } satisfies BrotliOptions);
}

/**
 * Decompresses what flows through; what is not whole, or not of this encoding, fails with an error of zlib, which `asUnreadable` puts into words.
 * @throws SnapshotStoreError `corrupt` where a newer version has written it in an encoding that this one does not know
 */
export function decompressor(encoding: Encoding): Transform {
  switch (encoding) {
    case 'br':
      return createBrotliDecompress(STREAM);
    case 'gzip':
      return createGunzip(STREAM);
    default:
      throw new SnapshotStoreError('corrupt', `its encoding is ${JSON.stringify(encoding)}, which Reprise ${version()} does not know`);
  }
}

/** How the stored bytes that begin so are compressed. Brotli has no mark of its own: in a window of 64 KiB it begins with an even byte, gzip with an odd one. */
export function encodingOf(beginning: Buffer): Encoding {
  return beginning[0] === 0x1f && beginning[1] === 0x8b ? 'gzip' : 'br';
}

/** An error of zlib as one that says what the bytes should have been; any other as it is. */
export function asUnreadable(error: unknown, encoding: Encoding): unknown {
  if (!isUnreadable(error)) return error;
  const detail = `the object is not whole, or not of the encoding ${encoding}, as which Reprise ${version()} reads it: ${(error as Error).message}`;
  return new SnapshotStoreError('corrupt', detail, { cause: error });
}

/** zlib's own errors say that the bytes are not of the encoding, or not all of them. */
export function isUnreadable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  // `ERR__` is what Node makes of the names of brotli's errors.
  return typeof code === 'string' && /^(Z_|ERR_ZLIB|ERR__)/.test(code);
}

/** Of this program; asked only where something failed. */
function version(): string {
  return (JSON.parse(readFileSync(resolve(__dirname, '../../package.json'), 'utf8')) as { version: string }).version;
}

export function isEncoding(value: unknown): value is Encoding {
  return value === 'br' || value === 'gzip';
}
