import { constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from 'node:zlib';
import type { Transform } from 'node:stream';
import { AgentError } from '../errors';
import { IN_FLOW } from '../files/in-flow';

/** How the tar is compressed that goes to a store or comes from one (docs/pod-contract.md). */
export type Encoding = 'br' | 'gzip';

/** The lowest that finds repetitions: the pod stands still meanwhile, and higher ones take several times as long for a few per cent. */
const LEVEL = 1;
const WINDOW_BITS = 16;

/** What is asked for; gzip where nothing is. @throws AgentError `bad_request` */
export function encodingIn(order: Record<string, unknown>): Encoding {
  const { encoding = 'gzip' } = order;
  if (encoding === 'br' || encoding === 'gzip') return encoding;
  throw new AgentError('bad_request', 'encoding must be br or gzip');
}

export function compressor(encoding: Encoding): Transform {
  if (encoding === 'gzip') return createGzip({ level: LEVEL, chunkSize: IN_FLOW });
  const params = { [constants.BROTLI_PARAM_QUALITY]: LEVEL, [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS };
  return createBrotliCompress({ params, chunkSize: IN_FLOW });
}

export function decompressor(encoding: Encoding): Transform {
  return encoding === 'br' ? createBrotliDecompress({ chunkSize: IN_FLOW }) : createGunzip({ chunkSize: IN_FLOW });
}

/** The codes of zlib's own errors; `ERR__` is what Node makes of the names of brotli's. */
export function isUnreadable(code: string | undefined): boolean {
  return code !== undefined && /^(Z_|ERR_ZLIB|ERR__)/.test(code);
}
