import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The program as it was built: what jest loads is not what a service does. */
const PROGRAM = join(__dirname, '../dist/gateway.module.js');

/** The packages of which anything is loaded with the gateway. */
async function packages(): Promise<Set<string>> {
  const script = `require(${JSON.stringify(PROGRAM)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  const files = JSON.parse(stdout) as string[];
  return new Set(files.flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []));
}

it('loads nothing that is for databases: it has none', async () => {
  const loaded = await packages();
  for (const used of ['fastify', '@nestjs/microservices', 'amqplib']) expect(loaded).toContain(used);
  for (const unused of ['typeorm', '@nestjs/typeorm', 'pg']) expect(loaded).not.toContain(unused);
});
