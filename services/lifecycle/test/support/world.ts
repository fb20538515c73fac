import { randomUUID } from 'node:crypto';
import { type INestApplication, Logger, type Type } from '@nestjs/common';
import {
  CreateProvider,
  CreateRole,
  CreateWorkspace,
  EXCHANGE,
  EXCHANGE_OF,
  GetOperation,
  GetWorkspace,
  MESSAGES,
  type MessageClass,
  type OperationView,
  PodReady,
  type ProviderView,
  QUEUE,
  type RoleView,
  SetTenantPosture,
  type TenantView,
  type WorkspaceView,
  newId,
} from '@reprise/contracts';
import { AmqpConnection, Envelope, type Reply, Requester, catalogOf } from '@reprise/messaging';
import { ManualClock } from '@reprise/platform';
import { DataSource } from 'typeorm';
import { BrokerPeer, type Properties, TestBroker, TestDatabase, waitFor } from '../../../../libs/messaging/test/support';
import { startBilling } from '../../../billing/test/support/start-billing';
import type { LifecycleConfig } from '../../src/lifecycle.config';
import { startLifecycle } from './start-lifecycle';

export const ORG = 'acme';
const ALICE = { sub: 'alice', own_only: false };
/** Collects the commands to the provisioner, which this test is. */
const TO_PROVISIONER = 'test.to-provisioner';
const EVENTS = 'test.events';

interface Taken {
  id: string;
  body: string;
  data: Record<string, unknown>;
  correlationId: string;
}

/** What a command of an internal service may have otherwise than usual. */
type Told = { id?: string; org?: string } & Properties;

/** Lifecycle and billing on a real broker and database; the test itself plays the gateway, the provisioner and internal services. */
export class World {
  private constructor(
    readonly broker: TestBroker,
    readonly clock: ManualClock,
    readonly lifecycle: INestApplication,
    /** Another service of the house, with a login of its own. */
    readonly service: BrokerPeer,
    private readonly requester: Requester,
    private readonly billing: { app: INestApplication; start: () => Promise<INestApplication> },
    private readonly end: () => Promise<void>,
  ) {}

  static async create(over: Partial<LifecycleConfig> = {}): Promise<World> {
    Logger.overrideLogger(false);
    const [broker, database] = await Promise.all([TestBroker.create(), TestDatabase.create()]);
    const clock = new ManualClock(new Date().toISOString());
    const lifecycle = await startLifecycle(broker, database, clock, over);
    const start = () => startBilling(broker, database, clock);
    const billing = { app: await start(), start };
    const service = await BrokerPeer.join(broker, EXCHANGE.commands);
    const connection = new AmqpConnection({ url: broker.url, name: 'test' });
    const requester = new Requester(connection, new Envelope(catalogOf(MESSAGES, EXCHANGE_OF), 'test'));
    const end = async (): Promise<void> => {
      requester.close();
      await connection.close();
      await service.close();
      await lifecycle.close();
      await billing.app.close();
      await Promise.all([broker.drop(), database.drop()]);
    };
    const world = new World(broker, clock, lifecycle, service, requester, billing, end);
    for (const [queue, exchange, key] of [
      [TO_PROVISIONER, EXCHANGE.commands, 'reprise.pod.#'],
      [EVENTS, EXCHANGE.events, 'reprise.#'],
    ] as const) {
      await broker.channel.assertQueue(queue);
      await broker.channel.bindQueue(queue, exchange, key);
    }
    return world;
  }

  close(): Promise<void> {
    return this.end();
  }

  stopBilling(): Promise<void> {
    return this.billing.app.close();
  }

  async startBilling(): Promise<void> {
    this.billing.app = await this.billing.start();
  }

  get database(): DataSource {
    return this.part(DataSource);
  }

  /** A provider of lifecycle's own, past the broker. */
  part<T>(type: Type<T>): T {
    return this.lifecycle.get(type);
  }

  /** As the gateway asks: with a reply. */
  ask<T = Record<string, unknown>>(message: MessageClass, data: object, { id = newId('message'), org = ORG } = {}): Promise<Reply<T>> {
    return this.requester.request<T>(
      { type: message.type, data: { caller: ALICE, ...data }, id, orgId: org, actor: 'alice' },
      { deadlineMs: 15_000 },
    );
  }

  /** The value of an answer that must not be a refusal. */
  async done<T = Record<string, unknown>>(message: MessageClass, data: object, options: { id?: string; org?: string } = {}): Promise<T> {
    const reply = await this.ask<T>(message, data, options);
    if (reply.status === 'refused') throw new Error(`${message.type} was refused: ${JSON.stringify(reply.refusal)}`);
    return reply.value;
  }

  async setPosture(org: string, posture: string): Promise<void> {
    await this.requester.request<TenantView>({ type: SetTenantPosture.type, data: { org_id: org, posture } }, { deadlineMs: 10_000 });
  }

  /** As an internal service sends it: by the broker's own client, under its own login, without a reply address. Resolves with the message id. */
  async tell(message: MessageClass, data: object, { id = randomUUID(), org = ORG, ...properties }: Told = {}): Promise<string> {
    await this.service.publish(EXCHANGE.commands, message.type, data, {
      type: message.type,
      messageId: id,
      contentType: 'application/json',
      userId: this.service.user,
      ...properties,
      headers: {
        cloudEvents_specversion: '1.0',
        cloudEvents_orgid: org,
        cloudEvents_source: 'nightly-job',
        ...(properties.headers as object),
      },
    });
    return id;
  }

  /** As the provisioner tells. */
  async event(message: MessageClass, data: object, id: string = randomUUID()): Promise<void> {
    await this.broker.publish(EXCHANGE.events, message.type, data, {
      type: message.type,
      messageId: id,
      contentType: 'application/json',
      headers: { cloudEvents_specversion: '1.0', cloudEvents_orgid: ORG },
    });
  }

  /** The next command of this type to the provisioner; others before it are thrown away. */
  async toProvisioner<T>(message: MessageClass): Promise<T> {
    return (await this.next(TO_PROVISIONER, message.type)).data as T;
  }

  /** The same with the message's id, and its body to the byte. */
  nextToProvisioner(message: MessageClass): Promise<Taken> {
    return this.next(TO_PROVISIONER, message.type);
  }

  /** The next event of this type; others before it are thrown away. */
  nextEvent(message: MessageClass): Promise<Taken> {
    return this.next(EVENTS, message.type);
  }

  countToProvisioner(): Promise<number> {
    return this.broker.count(TO_PROVISIONER);
  }

  role(name: string, org = ORG): Promise<RoleView> {
    return this.done<ProviderView>(CreateProvider, { name: `${name}-p`, kind: 'none' }, { org }).then((provider) =>
      this.done<RoleView>(CreateRole, { name, provider_id: provider.id, command: ['cat'] }, { org }),
    );
  }

  /** A workspace whose first pod is up. */
  async idleWorkspace(role: RoleView, data: object = {}): Promise<WorkspaceView> {
    const workspace = await this.done<WorkspaceView>(CreateWorkspace, { role_id: role.id, ...data });
    await this.podReady(workspace.operation!, role);
    return this.get(workspace.id);
  }

  /** Tells that the operation's pod is up, and waits until lifecycle has it. */
  async podReady(
    operation: Pick<OperationView, 'id' | 'workspace_id' | 'generation'>,
    role: RoleView,
    snapshot: string | null = null,
  ): Promise<void> {
    const { id, workspace_id, generation } = operation;
    await this.event(PodReady, { operation_id: id, workspace_id, generation, role_version: role.version, snapshot_id: snapshot });
    await this.ended(id);
  }

  ended(operationId: string): Promise<OperationView> {
    return waitFor(async () => {
      const operation = await this.done<OperationView>(GetOperation, { operation_id: operationId });
      return operation.finished_at === null ? undefined : operation;
    }, `the end of ${operationId}`);
  }

  operation(id: string): Promise<OperationView> {
    return this.done<OperationView>(GetOperation, { operation_id: id });
  }

  get(id: string): Promise<WorkspaceView> {
    return this.done<WorkspaceView>(GetWorkspace, { workspace_id: id });
  }

  deadLetters(): Promise<number> {
    return this.broker.count(`${QUEUE.lifecycleCommands}.dead`);
  }

  private async next(queue: string, type: string): Promise<Taken> {
    for (;;) {
      const { properties, content } = await this.broker.take(queue);
      const body = content.toString();
      const { messageId: id, correlationId } = properties as { messageId: string; correlationId: string };
      if (properties.type === type) return { id, body, data: JSON.parse(body), correlationId };
    }
  }
}
