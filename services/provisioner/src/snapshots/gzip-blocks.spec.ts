import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { gzipBlocks } from './gzip-blocks';

const packed = async (...chunks: Buffer[]): Promise<Buffer> => {
  const members: Buffer[] = [];
  for await (const member of gzipBlocks(Readable.from(chunks) as AsyncIterable<Buffer>)) members.push(member);
  return Buffer.concat(members);
};

describe('a stream packed block by block', () => {
  it.each([0, 1, 1000, 1024 * 1024, 1024 * 1024 + 1, 10_000_000])('of %i bytes is unpacked to the same', async (size) => {
    const bytes = Buffer.concat([randomBytes(Math.floor(size / 2)), Buffer.alloc(Math.ceil(size / 2), 'text ')]);
    const chunks = Array.from({ length: Math.ceil(size / 70_000) }, (_, i) => bytes.subarray(i * 70_000, (i + 1) * 70_000));
    expect(gunzipSync(await packed(...chunks)).equals(bytes)).toBe(true);
  });

  it('shrinks what shrinks and hardly grows what does not', async () => {
    expect((await packed(Buffer.alloc(5_000_000, 'text '))).length).toBeLessThan(100_000);
    expect((await packed(randomBytes(5_000_000))).length).toBeLessThan(5_005_000);
  });

  it('gives each run of it what it needs: files that shrink among files that do not', async () => {
    const file = 64 * 1024;
    const text = Buffer.from(Array.from({ length: file / 8 }, (_, i) => `${i % 977}`.padStart(7, ' ') + '\n').join(''));
    const files = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? randomBytes(file) : text));
    const stored = await packed(...files);
    expect(stored.length).toBeGreaterThan(32 * file);
    expect(stored.length).toBeLessThan(32 * file * 1.25);
    expect(gunzipSync(stored).equals(Buffer.concat(files))).toBe(true);
  });

  it('fails as the stream does', async () => {
    const failing = (async function* () {
      yield Buffer.alloc(3_000_000);
      await Promise.resolve();
      throw new Error('the pod went away');
    })();
    await expect(Readable.from(gzipBlocks(failing)).toArray()).rejects.toThrow('the pod went away');
  });
});
