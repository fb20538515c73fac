import { promisify } from 'node:util';
import { deflateRawSync, gzip } from 'node:zlib';

const BLOCK = 1024 * 1024;
const SAMPLE = 16 * 1024;
/** As many as Node's thread pool has threads. */
const AT_ONCE = 4;

const pack = promisify<Buffer, { level: number }, Buffer>(gzip);

/**
 * Compresses a stream as a row of gzip members, which any gunzip reads as one (RFC 1952, 2.2). A member a block lets all
 * threads work at it, and lets each block have its own level: 1, since the pod waits while this runs and higher ones cost
 * several times the time for a few per cent; 0 for what does not shrink (archives, images), on which level 1 spends ten
 * times the time for nothing. Memory does not grow with the stream.
 */
export async function* gzipBlocks(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const packing: Promise<Buffer>[] = [];
  for await (const block of blocksOf(source)) {
    const packed = pack(block, { level: shrinks(block) ? 1 : 0 });
    // One that fails is told when its turn comes; until then it must not count as unheard.
    packed.catch(() => undefined);
    packing.push(packed);
    const first = packing.length === AT_ONCE ? packing.shift() : undefined;
    if (first) yield await first;
  }
  for (const packed of packing) yield await packed;
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

/** Told by a sample from the middle: the beginning is often a header unlike the rest. */
function shrinks(block: Buffer): boolean {
  const at = Math.max(0, Math.floor((block.length - SAMPLE) / 2));
  const sample = block.subarray(at, at + SAMPLE);
  return deflateRawSync(sample, { level: 1 }).length < sample.length * 0.95;
}
