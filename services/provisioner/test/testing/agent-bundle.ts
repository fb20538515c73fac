import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The agent as it is shipped, built into this directory. */
export function bundleAgent(directory: string): string {
  const file = join(directory, 'agent.js');
  execFileSync(process.execPath, [join(__dirname, '../../../../runtime/agent/build.mjs'), file]);
  return file;
}
