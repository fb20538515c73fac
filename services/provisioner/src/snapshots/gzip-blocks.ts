import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const BLOCK = 1024 * 1024;
/** How finely what shrinks is told from what does not; a file of a few pieces among others gets its own level. */
const PIECE = 32 * 1024;
const SAMPLE = 4 * 1024;
/** Bits a byte, of 8: a sample of random bytes of this size has 7.95, text 4 to 6, programs 6. */
const DENSE = 7.8;
/** As many blocks as Node's thread pool has threads. */
const AT_ONCE = 4;

const pack = promisify<Buffer, { level: number; chunkSize: number }, Buffer>(gzip);

/**
 * Compresses a stream as a row of gzip members, which any gunzip reads as one (RFC 1952, 2.2). Members let all threads
 * work at it, and let each run of the stream have its own level: 1, since the pod waits while this runs and higher ones
 * cost several times the time for a few per cent; 0 for what does not shrink (archives, images), on which level 1 spends
 * ten times the time for nothing. Memory does not grow with the stream.
 */
export async function* gzipBlocks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const packing: Promise<Buffer>[] = [];
  for await (const block of blocksOf(source)) {
    const packed = packBlock(block);
    // One that fails is told when its turn comes; until then it must not count as unheard.
    packed.catch(() => undefined);
    packing.push(packed);
    const first = packing.length === AT_ONCE ? packing.shift() : undefined;
    if (first) yield await first;
  }
  for (const packed of packing) yield await packed;
}

async function packBlock(block: Buffer): Promise<Buffer> {
  // The room for all of it at once: zlib goes through the thread pool once for each chunk that it fills.
  const members = runsOf(block).map(({ bytes, level }) => pack(bytes, { level, chunkSize: bytes.length + 1024 }));
  return Buffer.concat(await Promise.all(members));
}

/** At least one, so that an empty stream is a gzip file too. */
async function* blocksOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let size = 0;
  let any = false;
  for await (const chunk of source) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < BLOCK) continue;
    yield Buffer.concat(chunks);
    [chunks, size, any] = [[], 0, true];
  }
  if (size > 0 || !any) yield Buffer.concat(chunks);
}

/** The block in runs of pieces that are to be packed alike; of an empty one, one that is empty. */
function runsOf(block: Buffer): { bytes: Buffer; level: 0 | 1 }[] {
  const runs: { from: number; level: 0 | 1 }[] = [];
  for (let from = 0; from < block.length || runs.length === 0; from += PIECE) {
    const level = isDense(block.subarray(from, from + PIECE)) ? 0 : 1;
    if (runs.at(-1)?.level !== level) runs.push({ from, level });
  }
  return runs.map(({ from, level }, i) => ({ bytes: block.subarray(from, runs[i + 1]?.from), level }));
}

/**
 * Whether the bytes of a piece are spread so evenly that packing gains nothing: by the entropy of a sample from its middle, since the beginning is
 * often a header unlike the rest. What repeats itself at length and is dense otherwise is stored as it is, which costs room and nothing else.
 */
function isDense(piece: Buffer): boolean {
  const at = Math.max(0, Math.floor((piece.length - SAMPLE) / 2));
  const sample = piece.subarray(at, at + SAMPLE);
  // Fewer bytes cannot tell.
  if (sample.length < SAMPLE) return false;
  const counts = new Uint16Array(256);
  for (const byte of sample) counts[byte] = (counts[byte] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * Math.log2(SAMPLE / count);
  return bits / SAMPLE > DENSE;
}
