import { AgentError } from '../errors';
import { fromText, onDisk, toText, type RawPath } from '../files/raw-path';
import { microsOf } from '../files/set-mtime';
import { RAW_LINK, RAW_PATH } from '../snapshot/header';

/** What a tar entry says of itself, as tar-stream reads it. */
export interface EntryHeader {
  readonly name: string;
  readonly type?: string | null;
  readonly linkname?: string | null;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: Date;
  readonly pax?: Readonly<Record<string, string>> | null;
}

/** Linux allows no longer name; a tar that has one was not made from a file system. */
const MAX_SEGMENT = 255;

/**
 * Where an entry goes, as segments below the workspace; none for the workspace itself.
 * @throws AgentError `bad_archive` for a name that is absolute, climbs (`..`), is empty or holds a NUL
 */
export function segmentsOf(header: EntryHeader): RawPath[] {
  return split(rawOf(header.pax?.[RAW_PATH], header.name), header.name);
}

/** Where the file stands that a hard link is another name of. @throws AgentError `bad_archive` as above */
export function linkSegmentsOf(header: EntryHeader): RawPath[] {
  const segments = split(linkTargetOf(header), header.name);
  if (segments.length === 0) throw refused(header.name, 'a hard link to the workspace itself');
  return segments;
}

/** What a symlink points at, as it stands: it is kept, never followed. */
export function linkTargetOf(header: EntryHeader): RawPath {
  const target = rawOf(header.pax?.[RAW_LINK], header.linkname ?? '');
  if (target === '' || target.includes('\0')) throw refused(header.name, 'a link without a target');
  return target;
}

/** The entry's time in microseconds since 1970, which is as exact as Node can set one. */
export function mtimeOf(header: EntryHeader): bigint {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]{1,30}))?$/.exec(header.pax?.mtime ?? '');
  if (!match) return BigInt(header.mtime?.getTime() ?? 0) * 1000n;
  const ns = BigInt(match[2] ?? 0) * 1_000_000_000n + BigInt((match[3] ?? '').padEnd(9, '0').slice(0, 9));
  const signed = match[1] ? -ns : ns;
  return microsOf(signed);
}

/** Owner and group: the pax records where there are any, else the header's own fields. */
export function ownerOf(header: EntryHeader): { uid: number; gid: number } {
  const id = (text: string | undefined, fallback: number | undefined): number =>
    text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : (fallback ?? 0);
  return { uid: id(header.pax?.uid, header.uid), gid: id(header.pax?.gid, header.gid) };
}

export function refused(name: string, why: string): AgentError {
  return new AgentError('bad_archive', `refused the entry ${JSON.stringify(name.slice(0, 300))}: ${why}`);
}

function rawOf(base64: string | undefined, text: string): RawPath {
  return base64 === undefined ? fromText(text) : Buffer.from(base64, 'base64').toString('latin1');
}

function split(path: RawPath, name: string): RawPath[] {
  if (path === '') throw refused(name, 'it has no name');
  if (path.includes('\0')) throw refused(name, 'its name holds a NUL');
  if (path.startsWith('/')) throw refused(name, 'its path is absolute');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw refused(name, 'its path climbs');
  if (segments.some((segment) => onDisk(segment).length > MAX_SEGMENT)) throw refused(toText(name), 'its name is too long');
  return segments;
}
