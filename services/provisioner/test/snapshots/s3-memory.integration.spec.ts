import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Peer } from './support/s3-peer';
import { streamInProcess } from './support/stream-process';

/** Beyond what Node and the SDK take by themselves: three parts of 8 MiB, the copies that are being signed and sent, and what waits for the collector. */
const MOST = 160;
/** The whole of it would be far beyond that. */
const MEGABYTES = process.env.REPRISE_LONG_TESTS === '1' ? 1_024 : 320;

describe(`${MEGABYTES} MiB through the S3 store (REPRISE_LONG_TESTS=1: a gigabyte)`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-s3-memory-'));
  let peer: S3Peer;

  beforeAll(async () => {
    peer = await S3Peer.start(directory);
  });
  afterAll(async () => {
    await peer?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('come back the same, and need memory that does not grow with them', async () => {
    const settings = peer.settings({ partBytes: 8 * 1024 * 1024, timeoutMs: 120_000 });
    const report = await streamInProcess(directory, { store: settings, megabytes: MEGABYTES });
    expect(report.same).toBe(true);
    expect(peer.count('UploadPart')).toBe(MEGABYTES / 8);
    expect(report.peak - report.before).toBeLessThan(MOST);
  }, 600_000);
});
