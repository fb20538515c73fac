import { open, rename } from 'node:fs/promises';

/** Replaces a file as a whole: readers see the old content or the new. Durable once it resolves, but for the name itself. */
export async function writeAtomically(path: string, content: string): Promise<void> {
  const aside = `${path}.${process.pid}.new`;
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
}
