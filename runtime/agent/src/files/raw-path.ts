/**
 * A path as the file system has it: bytes, one character each (latin1). A name on disk need not be UTF-8, and a name
 * that were decoded and encoded again would be another name.
 */
export type RawPath = string;

/** For the calls of node:fs. */
export function onDisk(path: RawPath): Buffer {
  return Buffer.from(path, 'latin1');
}

export function fromText(text: string): RawPath {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The path as text; bytes that are not UTF-8 become U+FFFD. */
export function toText(path: RawPath): string {
  return onDisk(path).toString('utf8');
}

export function isUtf8(path: RawPath): boolean {
  return fromText(toText(path)) === path;
}

/** `<directory>/<name>`; the root of a tree is the empty path. */
export function join(directory: RawPath, name: RawPath): RawPath {
  return directory === '' ? name : `${directory}/${name}`;
}
