import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { microsOf } from '../../src/files/set-mtime';

/** Names are latin1: one character for each byte on the disk. */
const raw = (path: string): Buffer => Buffer.from(path, 'latin1');

/** Everything that a file system can hold and a tar can carry, under a directory that is there. */
export function plantEverything(root: string): void {
  const at = (name: string): Buffer => raw(`${root}/${name}`);
  const utf8 = (name: string): string => Buffer.from(name, 'utf8').toString('latin1');
  writeFileSync(at('plain.txt'), 'hello\n');
  writeFileSync(at('empty'), '');
  writeFileSync(at('binary'), Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256)));
  writeFileSync(at('exactly-a-block'), Buffer.alloc(512, 'b'));
  writeFileSync(at('large'), Buffer.alloc(3_000_001, 'large '));
  const sparse = openSync(at('sparse'), 'w');
  ftruncateSync(sparse, 5_000_000);
  closeSync(sparse);

  mkdirSync(at('empty-directory'));
  mkdirSync(at(`deep/${'d'.repeat(120)}/${'e'.repeat(200)}`), { recursive: true });
  writeFileSync(at(`deep/${'d'.repeat(120)}/${'e'.repeat(200)}/${'f'.repeat(255)}`), 'far down');
  writeFileSync(at(utf8('Grüße 你好 🎉.txt')), 'utf-8');
  writeFileSync(at('line\nbreak = and "quote" \\ %41'), 'odd');
  writeFileSync(at(' leading and trailing '), 'spaces');
  writeFileSync(at('not-utf8-\xff\xfe\xe9'), 'bytes');
  mkdirSync(at('not-utf8-directory-\xe9'));
  writeFileSync(at('not-utf8-directory-\xe9/inside'), 'bytes');

  symlinkSync('plain.txt', at('symlink'));
  symlinkSync('no/such/thing', at('dangling'));
  symlinkSync('../../../../etc/passwd', at('outward'));
  symlinkSync('/absolute/nowhere', at('absolute'));
  symlinkSync(raw('not-utf8-\xff\xfe\xe9'), at('symlink-to-not-utf8'));
  symlinkSync('deep', at('symlink-to-directory'));
  symlinkSync('x'.repeat(300), at('long-target'));
  linkSync(at('plain.txt'), at('zz-hard-link'));
  linkSync(at('not-utf8-\xff\xfe\xe9'), at('hard-link-to-not-utf8'));

  for (const [name, mode] of [
    ['setuid', 0o4755],
    ['setgid', 0o2755],
    ['private', 0o600],
    ['no-rights', 0o000],
    ['executable', 0o711],
  ] as const) {
    writeFileSync(at(name), name);
    chmodSync(at(name), mode);
  }
  mkdirSync(at('sticky'));
  chmodSync(at('sticky'), 0o1777);
  for (const [name, mode] of [
    ['closed', 0o000],
    ['read-only', 0o555],
    ['not-enterable', 0o600],
  ] as const) {
    mkdirSync(at(name));
    writeFileSync(at(`${name}/inside`), 'hidden');
    lutimesSync(at(`${name}/inside`), 1_000_000, 1_000_000);
    chmodSync(at(name), mode);
  }

  for (const [name, time] of [
    ['plain.txt', '1700000000.123456'],
    ['empty', '-86400.5'],
    ['private', '4102444800.25'],
    ['dangling', '1234567890.000001'],
    ['empty-directory', '999999999.999999'],
  ] as const) {
    lutimesSync(at(name), time, time);
  }
}

/** What a tree holds, told so that two trees can be compared: content, mode, owner, time to the microsecond, links. */
export function describeTree(root: string): Record<string, object> {
  const described: Record<string, object> = {};
  const names = new Map<bigint, string>();
  const visit = (path: string): void => {
    const absolute = raw(path === '' ? root : `${root}/${path}`);
    const stat = lstatSync(absolute, { bigint: true });
    const common = { mode: (Number(stat.mode) & 0o7777).toString(8), uid: stat.uid, gid: stat.gid, micros: microsOf(stat.mtimeNs) };
    if (stat.isSymbolicLink()) described[path] = { ...common, symlink: readlinkSync(absolute, 'latin1') };
    else if (stat.isDirectory()) {
      described[path] = { ...common, directory: true };
      for (const name of readdirSync(absolute, 'latin1').sort()) visit(path === '' ? name : `${path}/${name}`);
    } else {
      const first = names.get(stat.ino) ?? path;
      names.set(stat.ino, first);
      described[path] = { ...common, size: stat.size, sha256: digest(absolute), sameFileAs: first };
    }
  };
  visit('');
  return described;
}

function digest(path: Buffer): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
