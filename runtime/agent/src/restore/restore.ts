import { createHash } from 'node:crypto';
import { chmodSync, lchownSync, type BigIntStats } from 'node:fs';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { Transform, finished, type Readable, type TransformCallback } from 'node:stream';
import { AgentError } from '../errors';
import { IN_FLOW } from '../files/in-flow';
import { fromText, join, onDisk, type RawPath } from '../files/raw-path';
import { removeTree } from '../files/remove-tree';
import { RESTORE_AREA } from '../files/restore-area';
import { setMtime } from '../files/set-mtime';
import { codeOf, log, messageOf } from '../log';
import { openUp } from '../snapshot/walk';
import { replaceChildren } from './replace-children';
import { unpack } from './unpack';

export interface RestoreResult {
  readonly entries: number;
  readonly bytes: number;
  /** What was read had this digest, which is the one that was expected. */
  readonly sha256: string;
}

/**
 * Replaces the workspace with what the tar holds. It is unpacked aside, in the workspace's restore area, and moved in place only
 * once it is complete and has the expected digest: until then the workspace is as it was. Repeatable, also after a crash
 * at any point.
 * @throws AgentError `bad_archive`, `digest_mismatch`, `no_space`
 */
export async function restoreWorkspace(tar: Readable, workspace: string, expectedSha256: string): Promise<RestoreResult> {
  const root = fromText(workspace);
  const digest = new Digest();
  await mkdir(workspace, { recursive: true });
  const before = await lstat(onDisk(root), { bigint: true });
  let after = before;
  try {
    openUp(root, before, 0o700);
    const { fresh, old } = await makeArea(root);
    // No pipeline: it would destroy the tar's source, and with it the connection that the refusal is to be answered on.
    finished(tar, (error) => error && digest.destroy(error));
    const entries = await unpack(tar.pipe(digest), fresh);
    const found = digest.hex();
    if (found !== expectedSha256) throw new AgentError('digest_mismatch', `expected ${expectedSha256}, received ${found}`);
    const restored = await lstat(onDisk(fresh), { bigint: true });
    // Its mode may forbid to take anything out of it.
    await chmod(onDisk(fresh), 0o700);
    await replaceChildren(root, fresh, old);
    after = restored;
    return { entries, bytes: digest.bytes, sha256: found };
  } catch (error) {
    throw asAgentError(error);
  } finally {
    await clearUp(root);
    settleRoot(root, after);
  }
}

/** Makes the workspace where it is missing, and removes what an interrupted restore left in it. */
export async function prepareWorkspace(workspace: string): Promise<void> {
  await mkdir(workspace, { recursive: true });
  const root = fromText(workspace);
  const left = await lstat(onDisk(join(root, RESTORE_AREA))).catch(() => null);
  if (left === null) return;
  openUp(root, await lstat(onDisk(root), { bigint: true }), 0o700);
  await removeTree(join(root, RESTORE_AREA));
}

async function makeArea(root: RawPath): Promise<{ fresh: RawPath; old: RawPath }> {
  const area = join(root, RESTORE_AREA);
  await removeTree(area);
  const [fresh, old] = [join(area, 'new'), join(area, 'old')];
  for (const directory of [area, fresh, old]) await mkdir(onDisk(directory), { mode: 0o700 });
  return { fresh, old };
}

/** What cannot be removed now takes room and nothing else; the next start clears it. */
async function clearUp(root: RawPath): Promise<void> {
  await removeTree(join(root, RESTORE_AREA)).catch((error: unknown) =>
    log('warn', 'cannot remove what the restore left aside', { error: messageOf(error) }),
  );
}

/** Owner, mode and time of the workspace itself. Last of all: whatever is made or removed in it changes its time. */
function settleRoot(root: RawPath, { uid, gid, mode, mtimeNs }: BigIntStats): void {
  try {
    if (process.geteuid?.() === 0) lchownSync(onDisk(root), Number(uid), Number(gid));
    chmodSync(onDisk(root), Number(mode) & 0o7777);
    setMtime(root, mtimeNs / 1000n);
  } catch (error) {
    // The root of a volume may be another user's, with rights for the agent's group: then these are not the agent's to set.
    if (codeOf(error) !== 'EPERM') throw asAgentError(error);
    log('warn', 'the workspace itself keeps its mode and time: it is not the agent’s own', { error: messageOf(error) });
  }
}

class Digest extends Transform {
  bytes = 0;
  private readonly hash = createHash('sha256');

  constructor() {
    super({ highWaterMark: IN_FLOW });
  }

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
