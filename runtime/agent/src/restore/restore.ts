import { createHash } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Transform, finished, type Readable, type TransformCallback } from 'node:stream';
import { AgentError } from '../errors';
import { fromText, onDisk } from '../files/raw-path';
import { removeTree } from '../files/remove-tree';
import { codeOf, log, messageOf } from '../log';
import { unpack } from './unpack';

export interface RestoreResult {
  readonly entries: number;
  readonly bytes: number;
  /** What was read had this digest, which is the one that was expected. */
  readonly sha256: string;
}

/**
 * Replaces the workspace with what the tar holds. It is unpacked aside on the same file system and moved in place only
 * once it is complete and has the expected digest: until then the workspace is as it was. Repeatable, also after a crash
 * at any point.
 * @throws AgentError `bad_archive`, `digest_mismatch`, `no_space`
 */
export async function restoreWorkspace(tar: Readable, workspace: string, expectedSha256: string): Promise<RestoreResult> {
  await clearAside(workspace);
  const aside = `${workspace}.restore-${process.pid}`;
  const digest = new Digest();
  try {
    await mkdir(aside, { mode: 0o700 });
    // No pipeline: it would destroy the tar's source, and with it the connection that the refusal is to be answered on.
    finished(tar, (error) => error && digest.destroy(error));
    const entries = await unpack(tar.pipe(digest), fromText(aside));
    const found = digest.hex();
    if (found !== expectedSha256) throw new AgentError('digest_mismatch', `expected ${expectedSha256}, received ${found}`);
    await swap(aside, workspace);
    return { entries, bytes: digest.bytes, sha256: found };
  } catch (error) {
    await clearAside(workspace).catch(() => undefined);
    throw asAgentError(error);
  }
}

/** Makes the workspace whole after a crash between the two renames of a swap, and removes what restores left aside. */
export async function prepareWorkspace(workspace: string): Promise<void> {
  await mkdir(workspace, { recursive: true });
  await clearAside(workspace);
}

/**
 * Two renames, no copy. A crash between them leaves no workspace: a pod that is being restored is restored again from
 * the start, so nothing is lost by that.
 */
async function swap(aside: string, workspace: string): Promise<void> {
  const old = `${workspace}.replaced-${process.pid}`;
  try {
    await rename(workspace, old);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  try {
    await rename(aside, workspace);
  } catch (error) {
    await rename(old, workspace).catch(() => undefined);
    throw error;
  }
  // What is left over now takes room and nothing else; the next start clears it.
  await removeTree(fromText(old)).catch((error: unknown) =>
    log('warn', 'cannot remove the replaced workspace', { error: messageOf(error) }),
  );
}

async function clearAside(workspace: string): Promise<void> {
  const parent = dirname(workspace);
  const names = await readdir(onDisk(fromText(parent)), 'latin1');
  const prefixes = ['restore', 'replaced'].map((kind) => `${fromText(basename(workspace))}.${kind}-`);
  for (const name of names.filter((it) => prefixes.some((prefix) => it.startsWith(prefix)))) {
    await removeTree(`${fromText(parent)}/${name}`);
  }
}

class Digest extends Transform {
  bytes = 0;
  private readonly hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }

  hex(): string {
    return this.hash.digest('hex');
  }
}

function asAgentError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return new AgentError('no_space', messageOf(error), { cause: error });
  return error;
}
