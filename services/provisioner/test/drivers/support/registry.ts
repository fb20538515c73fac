import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

/** A registry of images with one image in it, which holds one file and nothing that could run. */
export class Registry {
  private readonly answers = new Map<string, { type: string; body: Buffer }>();
  private readonly server: Server = createServer((request, response) => {
    const answer = request.url === '/v2/' ? { type: 'application/json', body: Buffer.from('{}') } : this.answers.get(request.url ?? '');
    if (!answer) {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return;
    }
    const head = { 'content-type': answer.type, 'content-length': answer.body.length, 'docker-content-digest': digestOf(answer.body) };
    response.writeHead(200, head).end(request.method === 'HEAD' ? undefined : answer.body);
  });

  /** Resolves to the image's name. */
  async open(): Promise<string> {
    const layer = await tarOf('only-file', 'x');
    const zipped = gzipSync(layer);
    const config = Buffer.from(
      JSON.stringify({ architecture: architecture(), os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(layer)] } }),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: config.length, digest: digestOf(config) },
        layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: zipped.length, digest: digestOf(zipped) }],
      }),
    );
    for (const blob of [config, zipped])
      this.answers.set(`/v2/bare/blobs/${digestOf(blob)}`, { type: 'application/octet-stream', body: blob });
    for (const reference of ['1', digestOf(manifest)])
      this.answers.set(`/v2/bare/manifests/${reference}`, { type: MANIFEST, body: manifest });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `127.0.0.1:${(this.server.address() as { port: number }).port}/bare:1`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function architecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

async function tarOf(name: string, content: string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
