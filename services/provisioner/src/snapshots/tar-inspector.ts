import { Writable, finished } from 'node:stream';
import { extract, type Header } from 'tar-stream';
import { SnapshotStoreError } from './snapshot-store';

const BLOCK = 512;
/** A tar ends with two blocks of zeros. */
const END = 2 * BLOCK;
/** Names that are no UTF-8 stand base64 in records of ours (docs/pod-contract.md). */
const RAW_PATH = 'REPRISE.path';
const RAW_LINK = 'REPRISE.linkpath';
/** What has a place in a workspace. A device does not: made by a restore that runs as root, it would open the host. */
const KINDS: ReadonlySet<string> = new Set(['file', 'contiguous-file', 'directory', 'symlink', 'link']);

/**
 * Reads a tar to its end and keeps nothing of it but the count of its entries and the names of its symlinks. Fails with
 * SnapshotStoreError `corrupt` where the tar is cut off, is no tar, or holds an entry that climbs out of the directory
 * that it would be unpacked in: by an absolute path, by `..`, through a symlink, or by a hard link.
 */
export class TarInspector extends Writable {
  entries = 0;
  private readonly reader = extract();
  private readonly symlinks = new Set<string>();
  private bytes = 0;
  private tail: Buffer = Buffer.alloc(0);

  constructor() {
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
      this.entries++;
      content.on('end', () => next());
      content.resume();
    });
    finished(this.reader, (error) => error && this.destroy(asCorrupt(error)));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytes += chunk.length;
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
    const pax = (header.pax ?? {}) as Record<string, string | undefined>;
    const segments = segmentsOf(pax[RAW_PATH], header.name, header.name);
    if (!KINDS.has(header.type)) throw refused(header.name, `its kind is ${header.type}`);
    this.refuseBelowSymlink(segments.slice(0, -1), header.name);
    if (header.type === 'link') {
      const target = segmentsOf(pax[RAW_LINK], header.linkname, header.name);
      this.refuseBelowSymlink(target, header.name);
    }
    // A directory of a symlink's name would be written into through the symlink.
    if (this.symlinks.has(segments.join('/'))) throw refused(header.name, 'a symlink of this name came before it');
    if (header.type === 'symlink') this.symlinks.add(segments.join('/'));
  }

  private refuseBelowSymlink(segments: readonly string[], name: string): void {
    if (this.symlinks.size === 0) return;
    for (let length = 1; length <= segments.length; length++) {
      if (this.symlinks.has(segments.slice(0, length).join('/'))) throw refused(name, 'its path leads through a symlink');
    }
  }
}

function segmentsOf(base64: string | undefined, text: string | null, name: string): string[] {
  const path = base64 === undefined ? Buffer.from(text ?? '', 'utf8').toString('latin1') : Buffer.from(base64, 'base64').toString('latin1');
  if (path === '') throw refused(name, 'it has no name');
  if (path.startsWith('/')) throw refused(name, 'its path is absolute');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (path.includes('\0') || segments.includes('..')) throw refused(name, 'its path climbs');
  return segments;
}

function refused(name: string, why: string): SnapshotStoreError {
  return new SnapshotStoreError('corrupt', `the tar's entry ${JSON.stringify(name.slice(0, 300))} is refused: ${why}`);
}

function asCorrupt(error: Error): SnapshotStoreError {
  return error instanceof SnapshotStoreError
    ? error
    : new SnapshotStoreError('corrupt', `not a complete tar: ${error.message}`, { cause: error });
}
