import { constants, mkdirSync, renameSync } from 'node:fs';
import { copyFile, open, type FileHandle } from 'node:fs/promises';
import { type Directory, identityOf, openUp, openUpSelf, statAt } from './directory';
import type { RawPath } from './raw-path';
import { removeTree } from './remove-tree';
import { writeAtomically } from './write-atomically';

/** The agent's own directory in the workspace. */
export const OWN_DIRECTORY: RawPath = '.reprise';

const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ = constants.O_RDONLY | SAFE;
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | SAFE;

/**
 * The agent's files in the workspace, which tasks can reach too: whatever they have put in the place of one, the agent goes on working. It follows no
 * link that they left, gets by modes that forbid it something, and moves aside what is in its way.
 */
export class OwnFiles {
  /** @param moved is told what was moved aside, by paths from the workspace on */
  constructor(
    private readonly workspace: Directory,
    private readonly moved: (path: string, to: string) => void,
  ) {}

  /** Opens a file for reading and appending; makes it where there is none. */
  openForAppending(name: RawPath): Promise<FileHandle> {
    return this.within(async (own) => {
      await this.makeWay(own, name);
      return openWithRights(own, name, APPEND, 0o600);
    });
  }

  /** Null where there is no such file. */
  async openForReading(name: RawPath): Promise<FileHandle | null> {
    const close = openUpSelf(this.workspace, 0o700);
    try {
      if (!statAt(this.workspace, OWN_DIRECTORY)?.isDirectory()) return null;
      return await this.inOwn(async (own) => (statAt(own, name)?.isFile() ? await openWithRights(own, name, READ, 0o400) : null));
    } finally {
      close();
    }
  }

  /** Whether this open file is the one that has the name. */
  async isInPlace(name: RawPath, file: FileHandle): Promise<boolean> {
    const found = await this.openForReading(name);
    if (found === null) return false;
    try {
      return identityOf(await found.stat({ bigint: true })) === identityOf(await file.stat({ bigint: true }));
    } finally {
      await found.close();
    }
  }

  replace(name: RawPath, content: string): Promise<void> {
    return this.within(async (own) => {
      await this.makeWay(own, name);
      await writeAtomically(own, name, content);
    });
  }

  /** Null where there is no such file, or one that is larger: that is none of the agent's, and is moved aside. */
  async read(name: RawPath, atMost: number): Promise<string | null> {
    const file = await this.openForReading(name);
    if (file === null) return null;
    try {
      if ((await file.stat()).size <= atMost) return await file.readFile('utf8');
    } finally {
      await file.close();
    }
    await this.within((own) => Promise.resolve(this.moveAside(own, name, `${OWN_DIRECTORY}/`)));
    return null;
  }

  remove(name: RawPath): Promise<void> {
    return this.within((own) => (statAt(own, name)?.isDirectory() ? Promise.resolve() : removeTree(own, name)));
  }

  private async within<T>(act: (own: Directory) => Promise<T>): Promise<T> {
    const close = openUpSelf(this.workspace, 0o700);
    try {
      const stat = statAt(this.workspace, OWN_DIRECTORY);
      if (stat && !stat.isDirectory()) this.moveAside(this.workspace, OWN_DIRECTORY, '');
      if (!stat?.isDirectory()) mkdirSync(this.workspace.at(OWN_DIRECTORY), { mode: 0o755 });
      return await this.inOwn(act);
    } finally {
      close();
    }
  }

  private async inOwn<T>(act: (own: Directory) => Promise<T>): Promise<T> {
    const own = this.workspace.child(OWN_DIRECTORY);
    try {
      openUpSelf(own, 0o700);
      return await act(own);
    } finally {
      own.close();
    }
  }

  /** For a file of this name that is the agent's alone. */
  private async makeWay(own: Directory, name: RawPath): Promise<void> {
    const stat = statAt(own, name);
    if (stat === null) return;
    if (!stat.isFile()) this.moveAside(own, name, `${OWN_DIRECTORY}/`);
    // Another name of a file that is elsewhere: what is written here must not change that one.
    else if (stat.nlink > 1n) await makeOwnCopy(own, name);
  }

  private moveAside(directory: Directory, name: RawPath, prefix: string): void {
    const to = freeName(directory, name);
    const stat = statAt(directory, name);
    // A directory that changes its parent is written to.
    const close = stat?.isDirectory() ? openUp(directory, name, stat, 0o200) : () => undefined;
    try {
      renameSync(directory.at(name), directory.at(to));
    } finally {
      close();
    }
    this.moved(prefix + name, prefix + to);
  }
}

function freeName(directory: Directory, name: RawPath): RawPath {
  for (let number = 1; ; number++) {
    const free = `${name}.moved-${number}`;
    if (statAt(directory, free) === null) return free;
  }
}

async function makeOwnCopy(own: Directory, name: RawPath): Promise<void> {
  const copy = `${name}.new`;
  await removeTree(own, copy);
  await copyFile(own.at(name), own.at(copy), constants.COPYFILE_EXCL);
  renameSync(own.at(copy), own.at(name));
}

/** @throws where something that is no file has taken its place */
async function openWithRights(directory: Directory, name: RawPath, flags: number, rights: number): Promise<FileHandle> {
  const stat = statAt(directory, name);
  const close = stat === null ? () => undefined : openUp(directory, name, stat, rights);
  try {
    const file = await open(directory.at(name), flags, 0o644);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new Error(`${OWN_DIRECTORY}/${name} is no file`);
  } finally {
    close();
  }
}
