import { lchownSync, linkSync, mkdirSync, symlinkSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { AgentError } from '../errors';
import { Cursor } from '../files/cursor';
import { type Directory, statAt } from '../files/directory';
import { onDisk, type RawPath } from '../files/raw-path';
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
export async function unpack(tar: Readable, root: Directory): Promise<number> {
  const unpacking = new Unpacking(root);
  const reader = extract();
  const fed = pipeline(tar, reader as unknown as Writable);
  // Where the unpacking fails first, feeding fails because of it; where feeding fails first, so does the reader.
  fed.catch(() => undefined);
  try {
    for await (const entry of reader) await unpacking.add(entry.header as EntryHeader, entry as unknown as Content);
    await fed;
    unpacking.finish();
  } catch (error) {
    reader.destroy();
    throw asArchiveError(error);
  } finally {
    unpacking.close();
  }
  return unpacking.entries;
}

/** A directory that was made. */
interface Made {
  /** Null where no entry has named it yet. */
  header: EntryHeader | null;
  readonly children: Map<RawPath, Made>;
}

class Unpacking {
  entries = 0;
  /** The directories made here. The modes and times of those that an entry named are set last, deepest first. */
  private readonly made: Made = { header: null, children: new Map() };
  private readonly cursor: Cursor;
  /** Where the files are that hard links are other names of. */
  private readonly linked: Cursor;

  constructor(private readonly root: Directory) {
    this.cursor = new Cursor(root);
    this.linked = new Cursor(root);
  }

  async add(header: EntryHeader, content: Content): Promise<void> {
    this.entries++;
    const segments = segmentsOf(header);
    if (segments[0] === RESTORE_AREA) throw refused(header.name, 'its name is kept for restores');
    if (header.type === 'directory') {
      this.makeDirectories(segments, header.name).header = header;
      await skip(content);
      return;
    }
    const name = segments.pop();
    if (name === undefined) throw refused(header.name, 'it would replace the workspace itself');
    this.makeDirectories(segments, header.name);
    try {
      await this.make(this.cursor.here.at(name), header, content);
    } catch (error) {
      throw codeOf(error) === 'EEXIST' ? refused(header.name, 'there is an entry of that name before it') : error;
    }
  }

  /**
   * Directories last: making something in one changes its time, and its mode may forbid it. Each one is settled after it was left, since its mode may
   * forbid to leave it.
   */
  finish(): void {
    this.cursor.goTo([]);
    const levels: { readonly made: Made; readonly left: [RawPath, Made][] }[] = [{ made: this.made, left: [...this.made.children] }];
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const next = level.left.pop();
      if (next !== undefined) {
        const [name, made] = next;
        this.cursor.enter(name);
        levels.push({ made, left: [...made.children] });
        continue;
      }
      levels.pop();
      const { header } = level.made;
      if (levels.length > 0) this.cursor.leave((directory) => header && settleDirectory(directory, header));
      else if (header) settleDirectory(this.root, header);
    }
  }

  close(): void {
    this.cursor.close();
    this.linked.close();
  }

  private async make(path: Buffer, header: EntryHeader, content: Content): Promise<void> {
    switch (header.type) {
      case 'file':
      case 'contiguous-file':
        return writeFile(path, header, content);
      case 'symlink':
        await skip(content);
        symlinkSync(onDisk(linkTargetOf(header)), path);
        return settleLink(path, header);
      case 'link':
        await skip(content);
        return this.makeHardLink(path, header);
      default:
        throw refused(header.name, `its kind (${header.type ?? 'unknown'}) has no place in a workspace`);
    }
  }

  private makeHardLink(path: Buffer, header: EntryHeader): void {
    const segments = linkSegmentsOf(header);
    const name = segments.pop();
    // Its directory must be one of ours, or the target's path could lead through a symlink and out.
    if (name !== undefined && this.isMade(segments)) {
      this.linked.goTo(segments);
      if (statAt(this.linked.here, name)?.isFile()) return linkSync(this.linked.here.at(name), path);
    }
    throw refused(header.name, 'it links to something that is no file of this archive');
  }

  private isMade(segments: readonly RawPath[]): boolean {
    let made: Made | undefined = this.made;
    for (const name of segments) made = made?.children.get(name);
    return made !== undefined;
  }

  /** Goes to the directory; makes what is missing on the way. */
  private makeDirectories(segments: readonly RawPath[], path: string): Made {
    let made = this.made;
    let length = 0;
    for (let next = made.children.get(segments[0] ?? ''); next; next = made.children.get(segments[length] ?? '')) {
      made = next;
      length++;
    }
    this.cursor.goTo(segments.slice(0, length));
    for (const name of segments.slice(length)) {
      try {
        mkdirSync(this.cursor.here.at(name), { mode: 0o700 });
      } catch (error) {
        // Something that is no directory of ours: perhaps a symlink that leads elsewhere.
        throw codeOf(error) === 'EEXIST' ? refused(path, 'it lies below something that is not a directory') : error;
      }
      this.cursor.enter(name);
      const child: Made = { header: null, children: new Map() };
      made.children.set(name, child);
      made = child;
    }
    return made;
  }
}

/** Owner, mode, time, in this order, as of a file. Only root may give files away; anyone else owns all that it unpacks. */
function settleDirectory(directory: Directory, header: EntryHeader): void {
  if (process.geteuid?.() === 0) {
    const { uid, gid } = ownerOf(header);
    directory.chown(uid, gid);
  }
  directory.chmod((header.mode ?? 0o700) & 0o7777);
  directory.setMtime(mtimeOf(header));
}

function settleLink(path: Buffer, header: EntryHeader): void {
  if (process.geteuid?.() === 0) {
    const { uid, gid } = ownerOf(header);
    lchownSync(path, uid, gid);
  }
  setMtime(path, mtimeOf(header));
}

async function skip(content: Content): Promise<void> {
  for await (const chunk of content) void chunk;
}

function asArchiveError(error: unknown): unknown {
  const known = error instanceof AgentError || codeOf(error) !== undefined;
  return known ? error : new AgentError('bad_archive', `not a complete tar: ${messageOf(error)}`, { cause: error });
}
