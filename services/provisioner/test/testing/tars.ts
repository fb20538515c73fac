import { once } from 'node:events';
import { pack } from 'tar-stream';

/** A tar of these entries, as any tool would write it. */
export async function tarOf(...entries: [header: object, content?: string][]): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header as never, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The first block of an entry that says it has so many bytes, without them. */
export async function headOf(header: object, size: number): Promise<Buffer> {
  const tar = pack();
  tar.entry({ ...header, size } as never).on('error', () => undefined);
  await once(tar, 'readable');
  return tar.read() as Buffer;
}

/** The same as a symbolic link, which no packer gives a size. */
export async function linkHeadOf(name: string, size: number): Promise<Buffer> {
  const head = await headOf({ name, linkname: 'x' }, size);
  head.write('2', 156, 'latin1');
  head.write('x', 157, 'latin1');
  // The checksum counts itself as blanks.
  head.fill(' ', 148, 156);
  const sum = head.reduce((all, byte) => all + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}
