import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Peer } from '../snapshots/support/s3-peer';
import { streamInProcess } from '../snapshots/support/stream-process';

/**
 * How fast each store takes and gives, and what memory it needs. No test: it holds nothing to a figure. What S3 does here is done by s3rver on the same
 * processors, so the figure is a lower bound.
 *
 *     npx jest --selectProjects integration --testMatch "$PWD"/services/provisioner/test/bench/snapshot-stores.bench.ts
 */
const MEGABYTES = 256;

it(`the time of ${MEGABYTES} MiB in and out`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
  const peer = await S3Peer.start(join(directory, 's3'));
  const partBytes = 8 * 1024 * 1024;
  const s3 = peer.settings({ partBytes, timeoutMs: 120_000, endpoint: peer.unproxied });
  const stores = { files: { root: join(directory, 'files') }, s3 };
  for (const [name, store] of Object.entries(stores)) {
    const { putSeconds, getSeconds, before, peak } = await streamInProcess(directory, { store, megabytes: MEGABYTES });
    const speed = (seconds: number): number => Math.round(MEGABYTES / seconds);
    process.stderr.write(
      `${name}: in ${speed(putSeconds)} MiB/s, out ${speed(getSeconds)} MiB/s; ${before} MiB at rest, ${peak} at most\n`,
    );
  }
  await peer.stop();
  rmSync(directory, { recursive: true, force: true });
}, 600_000);
