import { randomBytes } from 'node:crypto';
import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere, sync, writeWhole } from './durable-files';

/** The name of a directory of pods, twelve hex digits: made at random when it is first asked for, and the same for good. */
export async function nameOf(root: string): Promise<string> {
  const file = join(root, '.installation');
  const found = await readIfThere(file);
  if (found !== null) return found.trim();
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await writeWhole(draft, `${randomBytes(6).toString('hex')}\n`);
  try {
    // Of several at once the first decides.
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await sync(root);
  return nameOf(root);
}
