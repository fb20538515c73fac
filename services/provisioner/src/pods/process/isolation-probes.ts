import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { asUser } from './as-user';

/** Null where a pod can run as this user; otherwise why not. */
export async function probeUser(uid: number, podsDir: string, agentPath: string): Promise<string | null> {
  if (process.geteuid?.() !== 0) return 'the provisioner is not root';
  // What an agent needs: to run Node, to read its program, to come to its directory.
  const script = `const { accessSync, constants } = require('node:fs');
    for (const [path, mode] of [[process.argv[1], constants.R_OK], [process.argv[2], constants.X_OK]]) accessSync(path, mode);`;
  const failure = await failureOf(asUser(uid, [process.execPath, '-e', script, agentPath, podsDir]));
  if (failure === null) return null;
  return `user ${uid} must be able to run Node, to read AGENT_PATH and to pass every parent directory of PODS_DIR, and cannot: ${failure}`;
}

async function failureOf([program, ...args]: readonly [string, ...string[]]): Promise<string | null> {
  try {
    const child = spawn(program, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return null;
    if (said.trim() === '') return `exit code ${code}`;
    return /code: '(E[A-Z]+)'/.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
