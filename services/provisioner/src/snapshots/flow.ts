/**
 * How much of a snapshot stands between two stages of its way: one works at its part while the next comes in. With Node's own 16 KiB every chunk that
 * comes from a socket would fill a stage by itself, and all of them would take turns.
 */
export const IN_FLOW = 256 * 1024;

/** The stream in chunks of at least so many bytes, the last one excepted: for stages that are dear by the chunk. */
export async function* gathered(source: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < bytes) continue;
    yield Buffer.concat(chunks, size);
    [chunks, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(chunks, size);
}
