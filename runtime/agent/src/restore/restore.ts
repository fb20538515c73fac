import { createHash } from 'node:crypto';
import { mkdirSync, type BigIntStats } from 'node:fs';
import { Transform, finished, type Readable, type TransformCallback } from 'node:stream';
import { AgentError } from '../errors';
import { Directory, openUpSelf, statAt } from '../files/directory';
import { IN_FLOW } from '../files/in-flow';
import { removeTree } from '../files/remove-tree';
import { RESTORE_AREA } from '../files/restore-area';
import { microsOf } from '../files/set-mtime';
import { codeOf, log, messageOf } from '../log';
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
export async function restoreWorkspace(tar: Readable, workspace: Directory, expectedSha256: string): Promise<RestoreResult> {
  const digest = new Digest();
  const before = workspace.stat();
  let after = before;
  const area: Directory[] = [];
  try {
    openUpSelf(workspace, 0o700);
    const [fresh, old] = await makeArea(workspace, area);
    // No pipeline: it would destroy the tar's source, and with it the connection that the refusal is to be answered on.
    finished(tar, (error) => error && digest.destroy(error));
    const entries = await unpack(tar.pipe(digest), fresh);
    const found = digest.hex();
    if (found !== expectedSha256) throw new AgentError('digest_mismatch', `expected ${expectedSha256}, received ${found}`);
    const restored = fresh.stat();
    // Its mode may forbid to take anything out of it.
    fresh.chmod(0o700);
    replaceChildren(workspace, fresh, old);
    after = restored;
    return { entries, bytes: digest.bytes, sha256: found };
  } catch (error) {
    throw asAgentError(error);
  } finally {
    for (const directory of area) directory.close();
    await clearUp(workspace);
    settleRoot(workspace, after);
  }
}

/** Removes what an interrupted restore left in the workspace. */
export async function prepareWorkspace(workspace: Directory): Promise<void> {
  const before = workspace.stat();
  const close = openUpSelf(workspace, 0o700);
  try {
    if (statAt(workspace, RESTORE_AREA) === null) return;
    await removeTree(workspace, RESTORE_AREA);
    workspace.setMtime(microsOf(before.mtimeNs));
  } finally {
    close();
  }
}

/** @param opened is given each directory as it is opened */
async function makeArea(workspace: Directory, opened: Directory[]): Promise<[fresh: Directory, old: Directory]> {
  await removeTree(workspace, RESTORE_AREA);
  const make = (parent: Directory, name: string): Directory => {
    mkdirSync(parent.at(name), { mode: 0o700 });
    const made = parent.child(name);
    opened.push(made);
    return made;
  };
  const area = make(workspace, RESTORE_AREA);
  return [make(area, 'new'), make(area, 'old')];
}

/** What cannot be removed now takes room and nothing else; the next start clears it. */
async function clearUp(workspace: Directory): Promise<void> {
  await removeTree(workspace, RESTORE_AREA).catch((error: unknown) =>
    log('warn', 'cannot remove what the restore left aside', { error: messageOf(error) }),
  );
}

/** Owner, mode and time of the workspace itself. Last of all: whatever is made or removed in it changes its time. */
function settleRoot(workspace: Directory, { uid, gid, mode, mtimeNs }: BigIntStats): void {
  try {
    if (process.geteuid?.() === 0) workspace.chown(Number(uid), Number(gid));
    workspace.chmod(Number(mode) & 0o7777);
    workspace.setMtime(microsOf(mtimeNs));
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
