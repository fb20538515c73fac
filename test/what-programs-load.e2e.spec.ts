import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The packages of which anything is loaded with this file as it was built: what jest loads is not what a program does. */
async function loadedWith(file: string): Promise<string[]> {
  const script = `require(${JSON.stringify(join(__dirname, '..', file))}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  const files = JSON.parse(stdout) as string[];
  return [...new Set(files.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))];
}

const FRAMEWORK = ['@nestjs/core', '@nestjs/microservices', '@nestjs/platform-fastify', 'fastify'];
const DATABASE = ['typeorm', '@nestjs/typeorm', 'pg'];

/** What each is, what it needs, and what only others need (docs/adr/0034-entrances-of-libraries.md). */
const PROGRAMS: readonly [what: string, file: string, needed: readonly string[], unneeded: readonly string[]][] = [
  ['the gateway', 'services/gateway/dist/gateway.module.js', [...FRAMEWORK, 'amqplib'], [...DATABASE, 'pino-pretty']],
  ['a service with a database', 'services/billing/dist/billing.module.js', [...FRAMEWORK, ...DATABASE, 'amqplib'], ['pino-pretty']],
  ['the command reprise', 'cli/dist/program.js', ['commander', 'amqplib', 'pg'], [...FRAMEWORK, '@nestjs/common', 'typeorm']],
  ['what migrates', 'libs/platform/dist/migrations.js', ['typeorm', 'pg'], [...FRAMEWORK, 'amqplib', '@nestjs/typeorm', 'pino-pretty']],
  ['migrations', 'services/lifecycle/dist/migrations/index.js', [], [...FRAMEWORK, '@nestjs/common', 'amqplib', 'class-validator']],
];

it.each(PROGRAMS)('%s loads what it needs, and not what only others do', async (_what, file, needed, unneeded) => {
  const loaded = await loadedWith(file);
  expect(needed.filter((name) => !loaded.includes(name))).toEqual([]);
  expect(unneeded.filter((name) => loaded.includes(name))).toEqual([]);
});
