import { randomBytes } from 'node:crypto';
import { Readable, type Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { asUnreadable, compressor, decompressor, type Encoding, encodingOf, isUnreadable } from './encoding';
import { gathered } from './flow';

async function through(stage: Transform, bytes: Buffer, chunkBytes = 70_000): Promise<Buffer> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  const out: Buffer[] = [];
  const keep = new Writable({ write: (chunk: Buffer, _encoding, done) => void (out.push(chunk), done()) });
  await pipeline(Readable.from(chunks), stage, keep);
  return Buffer.concat(out);
}

const halfOfEach = (size: number): Buffer => Buffer.concat([randomBytes(Math.floor(size / 2)), Buffer.alloc(Math.ceil(size / 2), 'text ')]);

describe('what snapshots are written in', () => {
  it.each([0, 1, 1_000, 64 * 1024, 64 * 1024 + 1, 10_000_000])('is read by any decoder: %i bytes', async (size) => {
    const bytes = halfOfEach(size);
    const packed = await through(compressor(), bytes);
    expect(brotliDecompressSync(packed).equals(bytes)).toBe(true);
    expect((await through(decompressor('br'), packed)).equals(bytes)).toBe(true);
  });

  it('shrinks what shrinks and hardly grows what does not', async () => {
    expect((await through(compressor(), Buffer.alloc(5_000_000, 'text '))).length).toBeLessThan(100_000);
    expect((await through(compressor(), randomBytes(5_000_000))).length).toBeLessThan(5_005_000);
  });

  it('was gzip, and that is still read', async () => {
    const bytes = halfOfEach(1_000_000);
    expect((await through(decompressor('gzip'), gzipSync(bytes))).equals(bytes)).toBe(true);
  });

  it.each<[string, Encoding, (packed: Buffer) => Buffer]>([
    ['that is cut off', 'br', (packed) => packed.subarray(0, -1)],
    ['that is empty', 'br', () => Buffer.alloc(0)],
    ['that is no brotli', 'br', () => gzipSync('another')],
    ['that is no gzip', 'gzip', (packed) => packed],
    ['of gzip that is cut off', 'gzip', () => gzipSync(halfOfEach(1_000)).subarray(0, -1)],
  ])('is told from something %s', async (_what, encoding, change) => {
    const packed = change(await through(compressor(), halfOfEach(100_000)));
    const failure: unknown = await through(decompressor(encoding), packed).catch((error: unknown) => error);
    expect(isUnreadable(failure)).toBe(true);
    expect(asUnreadable(failure, encoding)).toMatchObject({
      reason: 'corrupt',
      detail: expect.stringMatching(`encoding ${encoding}, as which Reprise \\d+\\.\\d+\\.\\d+ reads it: .+`),
    });
  });

  it('is told by its beginning', async () => {
    const bytes = [Buffer.alloc(0), Buffer.from('x'), randomBytes(300_000)];
    for (const each of bytes) {
      expect(encodingOf(await through(compressor(), each))).toBe('br');
      expect(encodingOf(gzipSync(each))).toBe('gzip');
    }
  });

  it('is refused by its name where a newer version has written another', () => {
    expect(() => decompressor('zstd' as Encoding)).toThrow(/its encoding is "zstd", which Reprise \d+\.\d+\.\d+ does not know/);
  });

  it('is not said of other failures', () => {
    for (const error of [new Error('no'), Object.assign(new Error(), { code: 'ERR_STREAM_PREMATURE_CLOSE' }), null])
      expect([isUnreadable(error), asUnreadable(error, 'br')]).toEqual([false, error]);
  });
});

describe('a gathered stream', () => {
  const sizesOf = async (...sizes: number[]): Promise<number[]> => {
    const found: number[] = [];
    for await (const chunk of gathered(
      Readable.from(
        sizes.map((size) => Buffer.alloc(size, size)),
        { objectMode: true },
      ),
      100,
    ))
      found.push(chunk.length);
    return found;
  };

  it('comes in chunks of at least the size, the last one excepted', async () => {
    expect(await sizesOf(10, 20, 70, 1, 99, 250, 3)).toEqual([100, 100, 250, 3]);
    expect(await sizesOf()).toEqual([]);
  });

  it('fails as its source does', async () => {
    const failing = (async function* () {
      yield Buffer.alloc(3);
      await Promise.resolve();
      throw new Error('the pod went away');
    })();
    await expect(Readable.from(gathered(failing, 100)).toArray()).rejects.toThrow('the pod went away');
  });
});
