// @ts-check
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasCommand, unpackPackages } from './debian-packages.mjs';
import { Failure } from './failure.mjs';
import { run } from './processes.mjs';

/**
 * What PYTHONPATH must be so that python3 has pika: nothing where it is installed, else a private folder with Debian's package.
 * @param {string} tools
 * @throws {Failure} where it cannot be had
 */
export async function pikaPath(tools) {
  if (!hasCommand('python3')) throw new Failure('there is no python3 on this machine');
  if (await imports('')) return '';
  const home = join(tools, 'python-pika');
  if (!existsSync(home)) {
    if (!hasCommand('apt-get') || !hasCommand('dpkg-deb')) throw new Failure('python3 has no pika, and there is no apt to get it by');
    await unpackPackages(tools, 'python-pika', ['python3-pika']);
  }
  const path = join(home, 'usr/lib/python3/dist-packages');
  if (!(await imports(path))) throw new Failure(`python3 cannot import the pika of ${path}`);
  return path;
}

/** @param {string} path */
async function imports(path) {
  const { code } = await run('python3', ['-c', 'import pika'], { env: { ...process.env, PYTHONPATH: path } });
  return code === 0;
}
