import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { FileSnapshotStore } from '../../../src/snapshots/files/file-snapshot-store';
import type { S3Settings } from '../../../src/snapshots/s3/s3-settings';
import { S3SnapshotStore } from '../../../src/snapshots/s3/s3-snapshot-store';

/** What a process of its own is told, so that its memory and its time are the store's. */
export interface StreamOrder {
  readonly store: S3Settings | { readonly root: string };
  readonly megabytes: number;
}

export interface StreamReport {
  /** The most memory that the process ever had, in MiB, and what it had before the first byte. */
  readonly peak: number;
  readonly before: number;
  readonly putSeconds: number;
  readonly getSeconds: number;
  readonly same: boolean;
}

const MEBIBYTE = 1024 * 1024;

/** Of no content that could be known beforehand, and quick to make. */
function* content(megabytes: number): Generator<Buffer> {
  const block = Buffer.alloc(MEBIBYTE);
  for (let i = 0; i < block.length; i += 4) block.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
  for (let n = 0; n < megabytes; n++) {
    block.writeUInt32LE(n, 0);
    for (let at = 0; at < MEBIBYTE; at += 65_536) yield Buffer.from(block.subarray(at, at + 65_536));
  }
}

function memory(field: 'VmHWM' | 'VmRSS'): number {
  return Math.round(Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024);
}

async function run({ store: told, megabytes }: StreamOrder): Promise<StreamReport> {
  const store = 'root' in told ? new FileSnapshotStore(told.root) : new S3SnapshotStore(told);
  const before = memory('VmRSS');
  const begun = performance.now();
  const { sha256 } = await store.put('large', Readable.from(content(megabytes)));
  const put = performance.now();
  const hash = createHash('sha256');
  for await (const chunk of await store.get('large')) hash.update(chunk as Buffer);
  const got = performance.now();
  const same = hash.digest('hex') === sha256;
  return { peak: memory('VmHWM'), before, putSeconds: (put - begun) / 1_000, getSeconds: (got - put) / 1_000, same };
}

void run(JSON.parse(process.argv[2] ?? '') as StreamOrder).then((report) => process.stdout.write(JSON.stringify(report)));
