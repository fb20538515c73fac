import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = resolve(__dirname, '../..');
export const SERVICES = ['gateway', 'lifecycle', 'provisioner', 'billing', 'deadletters'] as const;
export type ServiceName = (typeof SERVICES)[number];
export const WITH_DATABASE = ['lifecycle', 'provisioner', 'billing', 'deadletters'] as const;

const LAUNCHER = pathToFileURL(resolve(ROOT, 'scripts/lib/service-env.mjs')).href;
/** Jest runs CommonJS and cannot import the launcher's modules, so a Node of its own does. */
const COMPUTE = `
  const { serviceEnv, SERVICES } = await import(process.argv[1]);
  const from = JSON.parse(process.argv[2]);
  console.log(JSON.stringify(Object.fromEntries(SERVICES.map((name) => [name, serviceEnv(name, from)]))));`;

/** The environment of every service, as the launcher computes it from the same values. */
export async function serviceEnvironments(
  values: Record<string, string>,
  stateDir: string,
  inherited?: Readonly<Record<string, string>>,
): Promise<Record<ServiceName, Record<string, string>>> {
  const args = ['--input-type=module', '-e', COMPUTE, '--', LAUNCHER, JSON.stringify({ values, stateDir, root: ROOT, inherited })];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Record<ServiceName, Record<string, string>>;
}

/** Below what the kernel gives to outgoing connections, so that a service that was killed finds its port free again. */
const [LOWEST_PORT, HIGHEST_PORT] = [12_000, 31_000];

/** Ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}
