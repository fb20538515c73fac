import { chmodSync, lchownSync, linkSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { AgentError } from '../errors';
import { join, onDisk, type RawPath } from '../files/raw-path';
import { RESTORE_AREA } from '../files/restore-area';
import { setMtime } from '../files/set-mtime';
import { codeOf, messageOf } from '../log';
import { linkSegmentsOf, linkTargetOf, mtimeOf, ownerOf, refused, segmentsOf, type EntryHeader } from './entry-path';
import { writeFile, type Content } from './write-file';

/**
 * Unpacks a tar into a directory that is new, empty and nobody else's. An entry is made only below directories that this
 * unpacking made itself, and never over something that is there: so nothing is ever written through a symlink.
 * Resolves to the number of entries.
 * @throws AgentError `bad_archive` for entries that climb, devices, duplicates, and for what is no tar
 */
export async function unpack(tar: Readable, root: RawPath): Promise<number> {
  const unpacking = new Unpacking(root);
  const reader = extract();
  const fed = pipeline(tar, reader as unknown as Writable);
  // Where the unpacking fails first, feeding fails because of it; where feeding fails first, so does the reader.
  fed.catch(() => undefined);
  try {
    for await (const entry of reader) await unpacking.add(entry.header as EntryHeader, entry as unknown as Content);
  } catch (error) {
    reader.destroy();
    throw asArchiveError(error);
  }
  await fed;
  unpacking.finish();
  return unpacking.entries;
}

class Unpacking {
  entries = 0;
  /** Every directory made here; the modes and times of those that an entry named are set last, deepest first. */
  private readonly directories = new Map<RawPath, EntryHeader | null>([['', null]]);

  constructor(private readonly root: RawPath) {}

  async add(header: EntryHeader, content: Content): Promise<void> {
    this.entries++;
    const segments = segmentsOf(header);
    if (segments[0] === RESTORE_AREA) throw refused(header.name, 'its name is kept for restores');
    if (header.type === 'directory') {
      this.makeDirectories(segments, header.name);
      this.directories.set(segments.join('/'), header);
      await skip(content);
      return;
    }
    if (segments.length === 0) throw refused(header.name, 'it would replace the workspace itself');
    this.makeDirectories(segments.slice(0, -1), header.name);
    const path = this.at(segments);
    try {
      await this.make(path, header, content);
    } catch (error) {
      throw codeOf(error) === 'EEXIST' ? refused(header.name, 'there is an entry of that name before it') : error;
    }
  }

  /** Directories last: making something in one changes its time, and its mode may forbid it. */
  finish(): void {
    const deepestFirst = [...this.directories].sort(([a], [b]) => depth(b) - depth(a));
    for (const [path, header] of deepestFirst) if (header) settle(path === '' ? this.root : join(this.root, path), header);
  }

  private async make(path: RawPath, header: EntryHeader, content: Content): Promise<void> {
    switch (header.type) {
      case 'file':
      case 'contiguous-file':
        await writeFile(path, header, content);
        return settle(path, header);
      case 'symlink':
        await skip(content);
        symlinkSync(onDisk(linkTargetOf(header)), onDisk(path));
        return settle(path, header);
      case 'link':
        await skip(content);
        return this.makeHardLink(path, header);
      default:
        throw refused(header.name, `its kind (${header.type ?? 'unknown'}) has no place in a workspace`);
    }
  }

  private makeHardLink(path: RawPath, header: EntryHeader): void {
    const target = linkSegmentsOf(header);
    // Its directory must be one of ours, or the target's path could lead through a symlink and out.
    const inside = this.directories.has(target.slice(0, -1).join('/'));
    const stat = inside ? lstatSync(onDisk(this.at(target)), { throwIfNoEntry: false }) : undefined;
    if (!stat?.isFile()) throw refused(header.name, 'it links to something that is no file of this archive');
    linkSync(onDisk(this.at(target)), onDisk(path));
  }

  private makeDirectories(segments: readonly RawPath[], name: string): void {
    for (let length = 1; length <= segments.length; length++) {
      const path = segments.slice(0, length).join('/');
      if (this.directories.has(path)) continue;
      try {
        mkdirSync(onDisk(join(this.root, path)), { mode: 0o700 });
      } catch (error) {
        // Something that is no directory of ours: perhaps a symlink that leads elsewhere.
        throw codeOf(error) === 'EEXIST' ? refused(name, 'it lies below something that is not a directory') : error;
      }
      this.directories.set(path, null);
    }
  }

  private at(segments: readonly RawPath[]): RawPath {
    return join(this.root, segments.join('/'));
  }
}

function depth(path: RawPath): number {
  return path === '' ? 0 : path.split('/').length;
}

/** Owner, mode, time, in this order: a change of owner takes away setuid, a change of either alters no mtime. */
function settle(path: RawPath, header: EntryHeader): void {
  // Only root may give files away; anyone else owns all that it unpacks.
  if (process.geteuid?.() === 0) {
    const { uid, gid } = ownerOf(header);
    lchownSync(onDisk(path), uid, gid);
  }
  if (header.type !== 'symlink') chmodSync(onDisk(path), (header.mode ?? 0o700) & 0o7777);
  setMtime(path, mtimeOf(header));
}

async function skip(content: Content): Promise<void> {
  for await (const chunk of content) void chunk;
}

function asArchiveError(error: unknown): unknown {
  const known = error instanceof AgentError || codeOf(error) !== undefined;
  return known ? error : new AgentError('bad_archive', `not a complete tar: ${messageOf(error)}`, { cause: error });
}
