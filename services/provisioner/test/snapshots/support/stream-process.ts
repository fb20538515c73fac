import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import type { StreamOrder, StreamReport } from './stream-child';

/** Streams so much into a store and out of it again, in a process of its own that is built into this directory. */
export async function streamInProcess(directory: string, order: StreamOrder): Promise<StreamReport> {
  const outfile = join(directory, 'stream-child.js');
  const root = join(__dirname, '../../../../..');
  buildSync({
    entryPoints: [join(__dirname, 'stream-child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    absWorkingDir: root,
  });
  const { stdout } = await promisify(execFile)(process.execPath, [outfile, JSON.stringify(order)], {
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  return JSON.parse(stdout) as StreamReport;
}
