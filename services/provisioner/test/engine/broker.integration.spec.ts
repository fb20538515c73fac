import { randomBytes, randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import {
  CreatePod,
  EXCHANGE,
  EXCHANGE_OF,
  EXCHANGES,
  GetProvisionerOverview,
  InterruptTask,
  MESSAGES,
  newId,
  type ProvisionerOverview,
  RemovePod,
  ReplacePod,
  RunTask,
} from '@reprise/contracts';
import {
  AmqpConnection,
  AmqpServer,
  assertExchanges,
  catalogOf,
  Envelope,
  EventsListener,
  type MessageContext,
  Publisher,
  Requester,
} from '@reprise/messaging';
import { PlatformModule } from '@reprise/platform';
import { CONNECT_AGENT, type ConnectAgent, SNAPSHOT_STORE, TRANSFERS } from '../../src/ports/tokens';
import { ProvisionerModule } from '../../src/provisioner.module';
import { snapshotLimits } from '../../src/snapshot-store.config';
import type { SnapshotStore } from '../../src/snapshots/snapshot-store';
import { LocalTransfers } from '../../src/transfers/local-transfers';
import { waitFor } from './support/wait-for';
import { ORG, Workspace, World } from './support/world';

interface Told {
  type: string;
  data: Record<string, unknown>;
  context: MessageContext;
}

describe('the provisioner on the broker', () => {
  const vhost = `test-${randomBytes(6).toString('hex')}`;
  const told: Told[] = [];
  let world: World;
  let app: NestFastifyApplication;
  let connection: AmqpConnection;
  let publisher: Publisher;

  beforeAll(async () => {
    world = await World.make();
    const url = new URL(process.env.TEST_AMQP_URL!);
    await management('PUT', `vhosts/${vhost}`);
    await management('PUT', `permissions/${vhost}/${url.username}`, { configure: '.*', write: '.*', read: '.*' });
    url.pathname = `/${vhost}`;
    connection = new AmqpConnection({ url: url.toString(), name: 'test' });
    const catalog = catalogOf(MESSAGES, EXCHANGE_OF);
    const setup = connection.channel({ name: 'setup', setup: (channel) => assertExchanges(channel, EXCHANGES) });
    await setup.whenOpen(10_000);
    publisher = new Publisher({ connection, envelope: new Envelope(catalog, 'lifecycle') });
    const listener = new EventsListener(connection, catalog);
    listener.listen({
      queuePrefix: 'test',
      bindings: [{ exchange: EXCHANGE.events, routingKey: '#' }],
      onEvent: (data, context) => told.push({ type: context.type, data: data as Told['data'], context }),
    });
    const config = world.config({ AMQP_URL: url.toString() });
    const module = await Test.createTestingModule({
      imports: [PlatformModule.forRoot({ config }), ProvisionerModule.forRoot(config)],
    })
      // A thread cannot read TypeScript; transfer-thread.integration.spec.ts has the one that was built.
      .overrideProvider(TRANSFERS)
      .useFactory({
        inject: [CONNECT_AGENT, SNAPSHOT_STORE] as never,
        factory: (connect: ConnectAgent, store: SnapshotStore) => new LocalTransfers(connect, store, snapshotLimits(config)),
      })
      .compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: process.env.TEST_LOG ? console : false });
    app.connectMicroservice({ strategy: app.get(AmqpServer) });
    await app.init();
    await app.startAllMicroservices();
    await waitFor(() => app.get(AmqpServer).isConsuming() && listener.isListening(), 'the consumers');
  });

  afterAll(async () => {
    await app?.close();
    await connection?.close();
    await management('DELETE', `vhosts/${vhost}`);
    await world?.end();
  });

  function send(type: string, data: object, id: string = randomUUID()): Promise<void> {
    return publisher.publish({ type, data, id, orgId: ORG, correlationId: `of ${id}` });
  }

  function heard(type: string, about: Record<string, unknown>): Promise<Told> {
    const matches = (it: Told): boolean => it.type === type && Object.entries(about).every(([name, value]) => it.data[name] === value);
    return waitFor(() => told.find(matches), `${type} ${JSON.stringify(about)}`);
  }

  async function live(): Promise<Workspace> {
    const workspace = new Workspace(world);
    await send(CreatePod.type, workspace.createCommand());
    await heard('reprise.pod.ready.v1', { workspace_id: workspace.id });
    workspace.podGeneration = 1;
    return workspace;
  }

  it('tells an operator how jobs, pods and messages stand, and what its clocks say', async () => {
    await live();
    const requester = new Requester(connection, new Envelope(catalogOf(MESSAGES, EXCHANGE_OF), 'test'));
    const query = { type: GetProvisionerOverview.type, data: { limit: 10 } };
    const reply = await requester.request<ProvisionerOverview>(query, { deadlineMs: 10_000 });
    requester.close();
    expect(reply).toMatchObject({
      status: 'done',
      value: {
        jobs: { waiting: 0, running: 0 },
        overdue_jobs: [],
        pods: { live: expect.any(Number) },
        outbox: { count: expect.any(Number) },
      },
    });
  });

  it('a create, a restart and a stop are commanded and told by message; a repeated message has no second effect', async () => {
    const workspace = await live();
    const replace = workspace.replaceCommand();
    const id = randomUUID();
    for (let time = 0; time < 3; time += 1) await send(ReplacePod.type, replace, id);
    const ready = await heard('reprise.pod.ready.v1', { workspace_id: workspace.id, generation: 2 });
    expect(ready.context).toMatchObject({ orgId: ORG, subject: workspace.id, correlationId: `of ${id}`, source: 'provisioner' });
    workspace.podGeneration = 2;
    await send(RemovePod.type, workspace.removeCommand());
    await heard('reprise.pod.removed.v1', { workspace_id: workspace.id, generation: 3 });
    expect(told.filter(({ type, data }) => type === 'reprise.pod.ready.v1' && data.workspace_id === workspace.id)).toHaveLength(2);
    expect(await world.alive(workspace.id)).toEqual([]);
    await waitFor(async () => (await world.events(workspace.id)).length === 0, 'an empty outbox');
  });

  it('a task is handed to the pod once, and its delivery told', async () => {
    const workspace = await live();
    const about = { workspace_id: workspace.id, pod_generation: 1, task_id: newId('task') };
    const id = randomUUID();
    for (let time = 0; time < 2; time += 1) {
      await send(RunTask.type, { ...about, description: 'echo ran >> file; cat file', timeout_seconds: 60 }, id);
    }
    await heard('reprise.pod.task-delivered.v1', about);
    const done = await waitFor(() => world.reports.find((it) => it.task_id === about.task_id && it.status === 'completed'), 'the report');
    expect(done.output).toBe('ran\n');
  });

  it('a task for a pod that is no more is told as not delivered', async () => {
    const workspace = await live();
    await send(RemovePod.type, workspace.removeCommand());
    await heard('reprise.pod.removed.v1', { workspace_id: workspace.id });
    const about = { workspace_id: workspace.id, pod_generation: 1, task_id: newId('task') };
    await send(RunTask.type, { ...about, description: 'true', timeout_seconds: 60 });
    await heard('reprise.pod.task-delivery-failed.v1', { ...about, reason: 'pod_lost' });
  });

  it('a task is interrupted, and the next one waits until it is over', async () => {
    const workspace = await live();
    const about = { workspace_id: workspace.id, pod_generation: 1, task_id: newId('task') };
    await send(RunTask.type, { ...about, description: 'trap "" TERM; sleep 60', timeout_seconds: 60 });
    await heard('reprise.pod.task-delivered.v1', about);
    await send(InterruptTask.type, { ...about, reason: 'cancelled_by_user' });
    const next = { ...about, task_id: newId('task') };
    await send(RunTask.type, { ...next, description: 'true', timeout_seconds: 60 });
    await heard('reprise.pod.task-delivered.v1', next);
    expect(world.reports).toContainEqual(expect.objectContaining({ task_id: about.task_id, status: 'cancelled' }));
  });

  it('a task that is interrupted before it is delivered ends all the same', async () => {
    const workspace = await live();
    const about = { workspace_id: workspace.id, pod_generation: 1, task_id: newId('task') };
    await send(InterruptTask.type, { ...about, reason: 'cancelled_by_user' });
    await waitFor(async () => (await world.database.query('SELECT FROM interrupted_tasks')).length > 0, 'the interruption');
    await send(RunTask.type, { ...about, description: 'sleep 60', timeout_seconds: 60 });
    await waitFor(() => world.reports.find((it) => it.task_id === about.task_id && it.status === 'cancelled'), 'the end of the task');
  });

  it('a task for an agent that has died is told as not delivered', async () => {
    const workspace = await live();
    await world.kill(workspace.id);
    const about = { workspace_id: workspace.id, pod_generation: 1, task_id: newId('task') };
    await send(RunTask.type, { ...about, description: 'true', timeout_seconds: 60 });
    await heard('reprise.pod.task-delivery-failed.v1', { ...about, reason: 'pod_lost' });
  });

  it('is ready while it has its broker and its database', async () => {
    const answer = await app.inject({ method: 'GET', url: '/health/ready' });
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { status: 'ok' }]);
  });
});

async function management(method: string, path: string, body?: object): Promise<void> {
  const url = new URL(`api/${path}`, process.env.TEST_RABBITMQ_MANAGEMENT_URL);
  const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
  url.username = '';
  url.password = '';
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
}
