import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './settings';
import type { Stack } from './stack';

const run = promisify(execFile);

/** Runs `reprise` as an operator does in a shell, with the gateway's address and a token alone. @returns what it prints @throws where it does not exit with 0 */
export async function reprise(stack: Stack, token: string, args: readonly string[]): Promise<string> {
  const file = join(stack.directory, 'operator.env');
  writeFileSync(file, `GATEWAY_URL=${stack.api.base}\nREPRISE_TOKEN=${token}\n`);
  const { stdout } = await run(process.execPath, [join(ROOT, 'cli/dist/main.js'), ...args, '--env-file', file], { cwd: stack.directory });
  return stdout;
}
