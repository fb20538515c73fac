import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { BROKER_USERS } from '@reprise/contracts';
import { createLogger, hangUpWhenStopping, httpAdapter, PlatformModule } from '@reprise/platform';
import { TestBroker, waitFor } from '../../../../libs/messaging/test/support';
import { GatewayConfig } from '../../src/gateway.config';
import { GatewayModule } from '../../src/gateway.module';
import { configure } from '../../src/http/configure';
import { BODY_LIMIT } from '../../src/http/json-body';
import { AUDIENCE, ISSUER, TestIssuer } from './issuer';
import { StandIn } from './stand-in';

export const POD_SECRET = 'the secret of the pods';
export const SECRETS_KEY = 'the key of the secrets of all roles';

export interface Call {
  token?: string | null;
  body?: unknown;
  /** Sent as it is, in the place of a body in JSON. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface Answered {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the assertions check its shape
  body: any;
}

/** The real gateway on a port of its own, with the rights that its broker user has, and a stand-in for everyone else at the broker. */
export class GatewayUnderTest {
  private constructor(
    readonly url: string,
    readonly app: NestFastifyApplication,
    readonly broker: TestBroker,
    readonly others: StandIn,
    readonly issuer: TestIssuer,
    private readonly removeUser: () => Promise<void>,
  ) {}

  static async start(settings: Partial<GatewayConfig> = {}): Promise<GatewayUnderTest> {
    const broker = await TestBroker.create();
    const issuer = new TestIssuer();
    const others = await StandIn.at(broker);
    const rights = BROKER_USERS.find(({ name }) => name === 'reprise_gateway');
    if (!rights) throw new Error('The gateway has no broker user');
    const user = await broker.addUser({ configure: rights.configure, write: rights.write, read: rights.read });
    for (const { exchange, write, read } of rights.topics) {
      await broker.api('PUT', `topic-permissions/${broker.vhost}/${user.name}`, { exchange, write, read });
    }
    const app = await start(config(user.url, issuer, settings));
    await waitFor(() => isReady(app), 'the gateway');
    return new GatewayUnderTest(await app.getUrl(), app, broker, others, issuer, user.remove);
  }

  /** Sends a request with a token of all permissions, unless said otherwise. */
  async call(method: string, path: string, { token, body, raw, headers = {}, signal }: Call = {}): Promise<Answered> {
    const bearer = token === undefined ? this.issuer.token(ALL) : token;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal,
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.removeUser();
    await this.broker.drop();
    this.issuer.dispose();
  }
}

export const ALL = ['workspace:read', 'workspace:write', 'tasks:write', 'caps:write'];

function config(amqpUrl: string, issuer: TestIssuer, settings: Partial<GatewayConfig>): GatewayConfig {
  return Object.assign(new GatewayConfig(), {
    amqpUrl,
    amqpUsers: 'shared',
    httpHost: '127.0.0.1',
    jwtIssuer: ISSUER,
    jwtAudience: AUDIENCE,
    jwtAlgorithms: ['RS256', 'ES256'],
    jwtPublicKeyFile: issuer.keyFile,
    jwtClockToleranceSeconds: 0,
    jwksRefreshSeconds: 300,
    jwksLookupSeconds: 10,
    podTokenSecret: POD_SECRET,
    secretsKey: SECRETS_KEY,
    commandTimeoutMs: 5_000,
    queryTimeoutMs: 10_000,
    resendEveryMs: 200,
    rateLimitPerMinute: 0,
    waitsPerCaller: 100,
    waitsInAll: 5_000,
    trustedProxies: 0,
    operatorOrgs: ['acme'],
    serveDocs: true,
    shutdownTimeoutSeconds: 10,
    ...settings,
  });
}

async function start(settings: GatewayConfig): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({ imports: [PlatformModule.forRoot({ config: settings }), GatewayModule] }).compile();
  const logger = createLogger({ name: 'gateway', level: (process.env.LOG_LEVEL as 'debug' | undefined) ?? 'silent', format: 'json' });
  const adapter = httpAdapter(logger, { bodyLimit: BODY_LIMIT, trustedProxies: settings.trustedProxies, requireHost: false });
  const app = module.createNestApplication<NestFastifyApplication>(adapter, { logger: false });
  configure(app);
  hangUpWhenStopping(app);
  await app.listen(0, '127.0.0.1');
  return app;
}

async function isReady(app: NestFastifyApplication): Promise<boolean> {
  const response = await fetch(`${await app.getUrl()}/health/ready`);
  // Read to the end, or the connection stays taken.
  await response.text();
  return response.status === 200;
}
