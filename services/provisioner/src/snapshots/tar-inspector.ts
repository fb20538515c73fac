import { Writable, finished } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { LONGEST_NAME, LONGEST_PATH, type SnapshotLimits } from './limits';
import { SnapshotStoreError } from './snapshot-store';

const BLOCK = 512;
/** A tar ends with two blocks of zeros. */
const END = 2 * BLOCK;
/** More than the headers of an entry and what of the tar is on its way (4 MiB at most, each), and than the end of a tar. */
const BETWEEN_ENTRIES = 16 * 1024 * 1024;
/** Names that are no UTF-8 stand base64 in records of ours (docs/pod-contract.md). */
const RAW_PATH = 'REPRISE.path';
const RAW_LINK = 'REPRISE.linkpath';
/** The agent's own place to work in, which no archive may bring. */
const RESTORE_AREA = '.reprise-restore';
/** What has a place in a workspace. A device does not: made by a restore that runs as root, it would open the host. */
const KINDS: ReadonlySet<string> = new Set(['file', 'contiguous-file', 'directory', 'symlink', 'link']);

/**
 * Reads a tar to its end and refuses, while the pod that it came from is still there, all that a restore would refuse once it is gone: a tar that is cut
 * off or no tar, entries that climb out of the directory that they would be unpacked in, names that no file system takes, entries that come twice or
 * lie below something that is no directory, hard links to what no entry before them has brought, and whatever is beyond the limits.
 *
 * Entries are in the order of the contract: depth first, names in byte order. So the place of the entry before is all that has to be kept of the tree,
 * but for the targets of hard links, which are compared with the files by a fingerprint.
 */
export class TarInspector extends Writable {
  entries = 0;
  private readonly reader = extract();
  /** The entry before: the names that lead to it, and whether it is a directory. */
  private last: { readonly segments: readonly string[]; readonly isDirectory: boolean } | null = null;
  private readonly files = new Set<number>();
  private contentBytes = 0;
  private bytes = 0;
  /** What the entries so far may have together, and no more: without it a tar without end need not have an entry more. */
  private mostBytes = BETWEEN_ENTRIES;
  private tail: Buffer = Buffer.alloc(0);

  constructor(private readonly limits: SnapshotLimits) {
    super({ highWaterMark: 1024 * 1024 });
    this.reader.on('entry', (header, content, next) => {
      // A refused entry's content fails along with the reader, and only the reader's failure is told.
      content.on('error', () => undefined);
      try {
        this.check(header);
      } catch (error) {
        next(error as Error);
        return;
      }
      content.on('end', () => next());
      content.resume();
    });
    finished(this.reader, (error) => error && this.destroy(asCorrupt(error)));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytes += chunk.length;
    if (this.bytes > this.mostBytes) return done(new SnapshotStoreError('corrupt', 'the tar has more than its entries'));
    this.tail = chunk.length >= END ? chunk.subarray(-END) : Buffer.concat([this.tail, chunk]).subarray(-END);
    if (this.reader.write(chunk)) done();
    else this.reader.once('drain', () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    const whole = this.bytes % BLOCK === 0 && this.tail.length === END && this.tail.every((byte) => byte === 0);
    if (!whole) return done(new SnapshotStoreError('corrupt', 'the tar is cut off'));
    finished(this.reader, (error) => done(error ? asCorrupt(error) : null));
    this.reader.end(null);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.reader.destroy();
    done(error);
  }

  private check(header: Header): void {
    const { name, type } = header;
    const pax = (header.pax ?? {}) as Record<string, string | undefined>;
    if (!KINDS.has(type)) throw refused(name, `its kind is ${type}`);
    const segments = segmentsOf(pax[RAW_PATH], name, name);
    if (segments[0] === RESTORE_AREA) throw refused(name, 'its name is kept for restores');
    if (segments.length === 0 && type !== 'directory') throw refused(name, 'it would replace the workspace itself');
    this.checkPlace(segments, name);
    this.checkLimits(segments, header.size ?? 0, name);
    if (type === 'symlink' && rawOf(pax[RAW_LINK], header.linkname) === '') throw refused(name, 'it is a link without a target');
    if (type === 'link') this.checkLink(segmentsOf(pax[RAW_LINK], header.linkname, name), name);
    // A hard link is a name of its file, and may be linked to as well.
    else if (type !== 'directory' && type !== 'symlink') this.files.add(fingerprint(segments));
    this.last = { segments, isDirectory: type === 'directory' };
  }

  /** After the entry before it, and below directories alone. */
  private checkPlace(segments: readonly string[], name: string): void {
    const { last } = this;
    if (last === null) return;
    let shared = 0;
    while (shared < segments.length && segments[shared] === last.segments[shared]) shared++;
    const [here, before] = [segments[shared], last.segments[shared]];
    if (here === undefined) throw refused(name, before === undefined ? 'there is an entry of that name before it' : 'it comes too late');
    if (before !== undefined && here < before) throw refused(name, 'it comes too late');
    if (before === undefined && !last.isDirectory) throw refused(name, 'it lies below something that is not a directory');
  }

  /** @param size what a link says that it has counts like a file's: it is read all the same */
  private checkLimits(segments: readonly string[], size: number, name: string): void {
    const { entries, bytes, depth } = this.limits;
    if (!Number.isSafeInteger(size) || size < 0) throw refused(name, 'its size is no number of bytes');
    this.contentBytes += size;
    this.mostBytes = Math.max(this.mostBytes, this.bytes + BETWEEN_ENTRIES) + size;
    if (++this.entries > entries) throw tooLarge('entries', entries, `it has more than ${entries} entries`);
    if (this.contentBytes > bytes) throw tooLarge('bytes', bytes, `its files have more than ${bytes} bytes`);
    if (segments.length > depth) throw tooLarge('depth', depth, `it is ${segments.length} levels deep`);
    const length = segments.reduce((sum, segment) => sum + segment.length + 1, -1);
    if (length > LONGEST_PATH) throw tooLarge('path_bytes', LONGEST_PATH, `a path is ${length} bytes long`);
  }

  private checkLink(target: readonly string[], name: string): void {
    if (!this.files.has(fingerprint(target))) throw refused(name, 'it links to something that is no file of this archive');
  }
}

function segmentsOf(base64: string | undefined, text: string | null, name: string): string[] {
  const path = rawOf(base64, text);
  if (path === '') throw refused(name, 'it has no name');
  if (path.startsWith('/')) throw refused(name, 'its path is absolute');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (path.includes('\0') || segments.includes('..')) throw refused(name, 'its path climbs');
  if (segments.some((segment) => segment.length > LONGEST_NAME)) throw refused(name, 'its name is too long');
  return segments;
}

/** Bytes, one character each. */
function rawOf(base64: string | undefined, text: string | null): string {
  return base64 === undefined ? Buffer.from(text ?? '', 'utf8').toString('latin1') : Buffer.from(base64, 'base64').toString('latin1');
}

/** Of 52 bits, so that it fits a number: among two million files a link to nothing passes for a link to one of them once in two billion times. */
function fingerprint(segments: readonly string[]): number {
  let [low, high] = [0x811c9dc5, 0x1000193];
  for (const segment of segments) {
    for (let at = 0; at < segment.length; at++) {
      const byte = segment.charCodeAt(at);
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 13);
    }
    low = Math.imul(low ^ 0x2f, 0x01000193);
    high = Math.imul(high ^ 0x2f, 0x85ebca6b);
  }
  return (low >>> 0) * 0x100000 + ((high >>> 0) & 0xfffff);
}

function refused(name: string, why: string): SnapshotStoreError {
  return new SnapshotStoreError('corrupt', `the tar's entry ${JSON.stringify(name.slice(0, 300))} is refused: ${why}`);
}

function tooLarge(limit: string, allowed: number, what: string): SnapshotStoreError {
  return new SnapshotStoreError('too_large', `The workspace is too large for a snapshot: ${what}; the limit of ${limit} is ${allowed}.`);
}

function asCorrupt(error: Error): SnapshotStoreError {
  return error instanceof SnapshotStoreError
    ? error
    : new SnapshotStoreError('corrupt', `not a complete tar: ${error.message}`, { cause: error });
}
