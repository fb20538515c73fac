import type { Header } from 'tar-stream';
import { isUtf8, onDisk, toText, type RawPath } from '../files/raw-path';
import type { Found } from './walk';

export type TarHeader = Partial<Header> & { name: string; pax: Record<string, string> };

/** Records of ours for names that are no UTF-8: base64 of the bytes. `path` and `linkpath` then hold an approximation. */
export const RAW_PATH = 'REPRISE.path';
export const RAW_LINK = 'REPRISE.linkpath';

/** The largest that fits the header's own fields; beyond it only the pax record counts. */
const MAX_OCTAL_ID = 0o777777n;
const MAX_OCTAL_SIZE = 0o77777777777n;
const MAX_MTIME_SECONDS = 0x7fffffffn;

/**
 * The tar header of one thing in the workspace. Times stand in pax records, to the nanosecond; the header's own field
 * holds whole seconds, for readers that know no pax.
 */
export function headerOf(found: Exclude<Found, { type: 'skipped' }>): TarHeader {
  const { stat } = found;
  const pax: Record<string, string> = { mtime: paxTime(stat.mtimeNs) };
  const name = nameOf(found);
  if (!isUtf8(name)) pax[RAW_PATH] = onDisk(name).toString('base64');
  const target = 'target' in found ? found.target : null;
  if (target !== null && !isUtf8(target)) pax[RAW_LINK] = onDisk(target).toString('base64');
  if (stat.uid > MAX_OCTAL_ID) pax.uid = String(stat.uid);
  if (stat.gid > MAX_OCTAL_ID) pax.gid = String(stat.gid);
  const size = found.type === 'file' ? stat.size : 0n;
  if (size > MAX_OCTAL_SIZE) pax.size = String(size);
  return {
    name: toText(name),
    // With the type's bits: tar-stream takes a mode of 0 for "none given" and would write 0644; it masks them off itself.
    mode: Number(stat.mode),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(size),
    mtime: new Date(Number(headerSeconds(stat.mtimeNs)) * 1000),
    type: found.type,
    linkname: target === null ? undefined : toText(target),
    pax,
  };
}

/** The workspace itself is `./`, a directory ends in a slash: as other tars write them. */
function nameOf(found: Found): RawPath {
  if (found.path === '') return './';
  return found.type === 'directory' ? `${found.path}/` : found.path;
}

function headerSeconds(ns: bigint): bigint {
  const seconds = ns / 1_000_000_000n;
  return seconds < 0n ? 0n : seconds > MAX_MTIME_SECONDS ? MAX_MTIME_SECONDS : seconds;
}

/** Seconds since 1970 with nine decimals, as POSIX pax has them; negative before. */
export function paxTime(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const abs = ns < 0n ? -ns : ns;
  return `${sign}${abs / 1_000_000_000n}.${String(abs % 1_000_000_000n).padStart(9, '0')}`;
}
