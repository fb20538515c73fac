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
