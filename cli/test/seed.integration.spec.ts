import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplication, Logger } from '@nestjs/common';
import { verify } from 'jsonwebtoken';
import { startBilling } from '../../services/billing/test/support/start-billing';
import { record } from '../src/testing/recorder';
import { TestInstance } from './support/instance';

/** As much of the gateway as the seed speaks to; the end-to-end tests have the real one. */
class FakeGateway {
  readonly made = { providers: [] as Record<string, unknown>[], roles: [] as Record<string, unknown>[] };
  /** Pages of one, so that a seed that reads only the first page is found out. */
  hideFromLists = false;
  private readonly server: Server;

  constructor(private readonly publicKey: string) {
    this.server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const [status, answer] = this.answer(request, body);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
  }

  private answer(request: IncomingMessage, body: Record<string, unknown>): [number, unknown] {
    const claims = verify(request.headers.authorization!.replace('Bearer ', ''), this.publicKey, { audience: 'reprise', issuer: 'test' });
    expect(claims).toMatchObject({ org_id: 'acme', permissions: ['caps:write'] });
    const url = new URL(request.url!, 'http://gateway');
    const list = url.pathname === '/v1/providers' ? 'providers' : 'roles';
    if (request.method === 'GET') {
      const at = Number(url.searchParams.get('cursor') ?? 0);
      const all = [{ id: 'x', name: 'other' }, ...(this.hideFromLists ? [] : this.made[list])];
      return [200, { [list]: all.slice(at, at + 1), ...(at + 1 < all.length ? { cursor: String(at + 1) } : {}) }];
    }
    if (this.made[list].some(({ name }) => name === body.name)) {
      this.hideFromLists = false;
      return [409, { error: { code: 'name_taken', message: 'taken' } }];
    }
    const made = { id: `${list}_1`, ...body };
    this.made[list].push(made);
    return [201, made];
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text ? JSON.parse(text) : {};
}

const folder = mkdtempSync(join(tmpdir(), 'reprise-seed-'));
let instance: TestInstance;
let billing: INestApplication;
let gateway: FakeGateway;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  Logger.overrideLogger(false);
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const keyFile = join(folder, 'key.pem');
  writeFileSync(keyFile, keys.privateKey);
  gateway = new FakeGateway(keys.publicKey);
  instance = await TestInstance.create();
  billing = await startBilling(instance.broker, instance.database);
  const url = await gateway.listen();
  env = { ...instance.env, GATEWAY_URL: url, JWT_PRIVATE_KEY_FILE: keyFile, JWT_ISSUER: 'test', JWT_AUDIENCE: 'reprise' };
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  gateway?.close();
  await billing?.close();
  await instance?.drop();
});

const seed = async () => {
  const { code, out, err } = await record(['seed', '--json'], env);
  expect(err).toBe('');
  return { code, outcome: JSON.parse(out) };
};

describe('reprise seed', () => {
  it('makes an active tenant, a provider and a role to try, through the API', async () => {
    expect(await seed()).toEqual({ code: 0, outcome: { tenant: 'made', provider: 'made', role: 'made' } });
    expect(gateway.made.providers).toMatchObject([{ name: 'demo', kind: 'none' }]);
    expect(gateway.made.roles).toMatchObject([{ name: 'demo', provider_id: 'providers_1', command: ['sh', '-c', expect.any(String)] }]);
    const { out } = await record(['tenants', 'list', '--json'], env);
    expect(JSON.parse(out)).toMatchObject({ tenants: [{ org_id: 'acme', posture: 'active' }] });
  });

  it('leaves what is there as it is, the tenant’s posture too', async () => {
    await record(['tenants', 'set', 'acme', '--posture', 'past_due'], env);
    expect(await seed()).toEqual({ code: 0, outcome: { tenant: 'kept', provider: 'kept', role: 'kept' } });
    const { out } = await record(['tenants', 'list', '--json'], env);
    expect(JSON.parse(out)).toMatchObject({ tenants: [{ org_id: 'acme', posture: 'past_due' }] });
  });

  it('bears that another seed was quicker', async () => {
    gateway.made.roles.length = 0;
    gateway.hideFromLists = true;
    expect(await seed()).toEqual({ code: 0, outcome: { tenant: 'kept', provider: 'kept', role: 'made' } });
  });

  it('says that the gateway does not answer: exit code 3', async () => {
    const { code, err } = await record(['seed'], { ...env, GATEWAY_URL: 'http://127.0.0.1:1' });
    expect(code).toBe(3);
    expect(err).toMatch(/^reprise: the gateway at http:\/\/127\.0\.0\.1:1 does not answer/);
  });
});
