import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asUser } from './as-user';
import { inCgroup, makeCgroup, ownCgroup, removeCgroup } from './cgroups';
import { inNamespaces } from './in-namespaces';
import { viewOf, type ViewSettings } from './namespace-view';

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

/** Null where a pod can run in namespaces of its own; otherwise why not. Does all that is done for a pod, and looks whether it has come true. */
export async function probeNamespaces(settings: ViewSettings): Promise<string | null> {
  if (process.geteuid?.() === 0) return 'the provisioner is root, and in namespaces its pods would be, too';
  const directory = join(settings.podsDir, `.probe-${randomUUID()}`);
  const own = { workspace: join(directory, 'workspace'), told: join(directory, 'told'), temporary: join(directory, 'tmp') };
  const [stage, secret] = [join(directory, 'stage'), join(directory, 'secret')];
  const script = `const fs = require('node:fs');
    const [agentPath, workspace, secret] = process.argv.slice(1);
    fs.readFileSync(agentPath);
    fs.writeFileSync(workspace + '/file', '');
    if (fs.existsSync(secret)) throw new Error('a file that is to be hidden is seen');
    if (!/^CapBnd:\\s+0+$/m.test(fs.readFileSync('/proc/self/status', 'utf8'))) throw new Error('capabilities cannot be given up');
    if (fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).length > 4) throw new Error('processes of others are seen');`;
  try {
    for (const path of [directory, ...Object.values(own)]) await mkdir(path, { mode: 0o700 });
    await writeFile(secret, '');
    const view = await viewOf(settings, own);
    const command = [process.execPath, '-e', script, settings.agentPath, own.workspace, secret];
    const failure = await failureOf(await inNamespaces(view, stage, {}, command));
    return failure && `a process cannot be given namespaces, or Node and AGENT_PATH cannot be reached in them: ${failure}`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The cgroup that those of pods can be made in; otherwise why there is none. */
export async function probeCgroup(): Promise<{ parent: string } | { why: string }> {
  const parent = await ownCgroup();
  if (parent === null) return { why: 'there is no cgroup v2 here' };
  const directory = join(parent, `reprise-probe-${randomUUID()}`);
  try {
    await makeCgroup(directory);
    const failure = await failureOf(inCgroup(directory, ['cat', join(directory, 'cgroup.procs')]));
    if (failure !== null) return { why: `processes cannot be moved in the provisioner's cgroup: ${failure}` };
    return { parent };
  } catch (error) {
    return { why: `the provisioner's cgroup is not its own to divide: ${(error as NodeJS.ErrnoException).code}` };
  } finally {
    await removeCgroup(directory);
  }
}

async function failureOf([program, ...args]: readonly [string, ...string[]]): Promise<string | null> {
  try {
    const child = spawn(program, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return null;
    if (said.trim() === '') return `exit code ${code}`;
    return /code: '(E[A-Z]+)'/.exec(said)?.[1] ?? /^Error: (.*)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
