import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CreatePod, newId, RemovePod, ReplacePod, type PodSpec } from '@reprise/contracts';
import type { MessageContext } from '@reprise/messaging';
import { parseConfig } from '@reprise/platform';
import { runMigrations } from '@reprise/platform/migrations';
import { DataSource } from 'typeorm';
import { JobsService } from '../../../src/jobs/jobs.service';
import { MIGRATIONS, SCHEMA } from '../../../src/migrations';
import { AgentClient } from '../../../src/pods/agent-client';
import { PodKeys } from '../../../src/pods/pod-keys';
import { AgentError } from '../../../src/pods/agent-client.types';
import type { PodDriver, PodState } from '../../../src/pods/pod-driver';
import { ProcessPodDriver } from '../../../src/pods/process/process-pod-driver';
import { ProvisionerConfig } from '../../../src/provisioner.config';
import { FileSnapshotStore } from '../../../src/snapshots/files/file-snapshot-store';
import type { Replica } from './replica';
import { waitFor } from './wait-for';

export const SECRET = 'a secret for the tests of the engine';
const SECRETS_KEY = 'a key for the tests of the engine alone';
export const ORG = 'acme';

export interface EventRow {
  type: string;
  data: Record<string, string | number | boolean | null>;
  properties: { correlationId: string; headers: Record<string, unknown> };
}

/** One test file's own world: a database, directories for pods and snapshots, the real driver and store, and a gateway that says yes to everything. */
export class World {
  readonly driver: PodDriver;
  readonly store: FileSnapshotStore;
  readonly reports: { task_id: string; status: string; output?: string }[] = [];

  private constructor(
    readonly folder: string,
    readonly databaseUrl: string,
    readonly database: DataSource,
    private readonly gateway: Server,
    readonly gatewayUrl: string,
  ) {
    this.driver = new ProcessPodDriver({ podsDir: this.podsDir, agentPath: this.agentPath, gatewayUrl });
    this.store = new FileSnapshotStore(this.snapshotsDir);
  }

  static async make(): Promise<World> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await asAdmin(`CREATE DATABASE ${name}`);
    const url = new URL(adminUrl());
    url.pathname = `/${name}`;
    await runMigrations({ url: url.toString(), schema: SCHEMA, migrations: MIGRATIONS });
    url.searchParams.set('options', `-c search_path=${SCHEMA}`);
    const database = await new DataSource({ type: 'postgres', url: url.toString(), poolSize: 2, installExtensions: false }).initialize();
    url.searchParams.delete('options');
    const folder = mkdtempSync(join(tmpdir(), 'reprise-engine-'));
    const gateway = createServer();
    await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
    const world = new World(folder, url.toString(), database, gateway, `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`);
    gateway.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        world.reports.push({ task_id: request.url!.split('/').at(-1)!, ...(JSON.parse(body) as { status: string }) });
        response.writeHead(204).end();
      });
    });
    execFileSync(process.execPath, [resolve(__dirname, '../../../../../runtime/agent/build.mjs'), world.agentPath]);
    return world;
  }

  async end(): Promise<void> {
    for (const pod of await this.driver.list()) await this.driver.remove(pod, { graceSeconds: 0 });
    await this.database.destroy();
    await asAdmin(`DROP DATABASE ${new URL(this.databaseUrl).pathname.slice(1)} WITH (FORCE)`);
    this.gateway.closeAllConnections();
    this.gateway.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get podsDir(): string {
    return join(this.folder, 'pods');
  }

  get snapshotsDir(): string {
    return join(this.folder, 'snapshots');
  }

  get agentPath(): string {
    return join(this.folder, 'agent.js');
  }

  config(more: NodeJS.ProcessEnv = {}): ProvisionerConfig {
    return parseConfig(ProvisionerConfig, {
      DATABASE_URL: this.databaseUrl,
      DATABASE_POOL_SIZE: '5',
      AMQP_URL: process.env.TEST_AMQP_URL ?? 'amqp://localhost',
      AMQP_USERS: 'shared',
      PODS_DIR: this.podsDir,
      SNAPSHOTS_DIR: this.snapshotsDir,
      AGENT_PATH: this.agentPath,
      GATEWAY_URL: this.gatewayUrl,
      POD_TOKEN_SECRET: SECRET,
      SECRETS_KEY,
      TENANT_CONCURRENCY: '64',
      WORKER_POLL_MS: '100',
      // A worker that lives keeps its jobs, however slow the machine is; a test that needs a lease to end calls `expireLeases`.
      JOB_LEASE_SECONDS: '600',
      RECONCILE_INTERVAL_SECONDS: '3600',
      STEP_ATTEMPTS: '3',
      STEP_RETRY_FIRST_MS: '20',
      STEP_RETRY_LONGEST_MS: '100',
      POD_GRACE_SECONDS: '1',
      SNAPSHOTS_KEPT_HOURS: '0',
      ...more,
    });
  }

  /** The pods of a workspace whose processes live. */
  async alive(workspaceId: string): Promise<PodState[]> {
    return (await this.driver.list()).filter((pod) => pod.workspaceId === workspaceId && pod.phase !== 'dead');
  }

  /** Kills a workspace's agent. Resolves once the driver sees that it is dead: the kernel takes its time to end a process. */
  async kill(workspaceId: string): Promise<void> {
    const [pod] = await this.alive(workspaceId);
    process.kill(Number(pod!.ref!.replace('pid ', '')), 'SIGKILL');
    await waitFor(async () => (await this.driver.inspect(pod!))?.phase === 'dead', `the death of ${pod!.ref}`);
  }

  /** What the tests speak to agents with. */
  keys = new PodKeys(SECRET);

  async agentOf(workspaceId: string): Promise<AgentClient> {
    const [pod] = await this.alive(workspaceId);
    return new AgentClient({ address: pod!.address!, credentials: this.keys.credentials(pod!) });
  }

  /** Runs a shell script as a task of the workspace's pod and resolves with what it printed. */
  async sh(workspaceId: string, script: string): Promise<string> {
    const taskId = newId('task');
    const agent = await this.agentOf(workspaceId);
    // The end of a task is told a moment before the agent takes the next one; whoever delivers tasks asks again, too.
    const taken = (): Promise<true | null> =>
      agent.runTask({ taskId, description: script }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof AgentError && error.answer?.code === 'busy') return null;
          throw error;
        },
      );
    await waitFor(taken, 'the agent to take a task');
    const ended = () => this.reports.find((report) => report.task_id === taskId && report.status !== 'running');
    return (await waitFor(ended, `the end of ${script}`)).output ?? '';
  }

  async events(workspaceId: string, type?: string): Promise<EventRow[]> {
    const rows = await this.database.query(
      `SELECT routing_key AS type, body, properties FROM outbox WHERE subject = $1 AND ($2::text IS NULL OR routing_key = $2) ORDER BY id`,
      [workspaceId, type ?? null],
    );
    return rows.map((row: { body: string }) => ({ ...row, data: JSON.parse(row.body) }));
  }

  /** The last event about the operation of this generation that is not about a step. */
  async outcome(workspaceId: string, generation: number): Promise<EventRow> {
    const ending = async () =>
      (await this.events(workspaceId)).findLast((e) => e.data.generation === generation && e.type !== 'reprise.pod.step-changed.v1');
    return waitFor(ending, `the end of generation ${generation}`, 90_000);
  }

  /** The steps of a job as they were journalled, such as `quiesce 1 succeeded`. */
  async journal(workspaceId: string, generation: number): Promise<string[]> {
    const rows = await this.database.query(
      `SELECT s.* FROM job_steps s JOIN jobs j ON j.id = s.job_id WHERE j.workspace_id = $1 AND j.generation = $2
        ORDER BY s.started_at, array_position(ARRAY['salvage','quiesce','snapshot','verify','teardown','create','restore','ready'], s.step), s.attempt`,
      [workspaceId, generation],
    );
    return rows.map((row: { step: string; attempt: number; status: string }) => `${row.step} ${row.attempt} ${row.status}`);
  }

  /** Ends the lease of every running job now, as time does when its worker no longer prolongs it. */
  async expireLeases(): Promise<void> {
    await this.database.query(`UPDATE jobs SET available_at = now() WHERE status = 'running'`);
  }

  podRows(workspaceId: string): Promise<{ generation: number; status: string }[]> {
    return this.database.query(`SELECT generation, status FROM pods WHERE workspace_id = $1 ORDER BY generation`, [workspaceId]);
  }

  /** Deletes a pod's files, as a disk that breaks does. */
  loseFiles(workspaceId: string, generation: number): void {
    for (const own of ['', String(generation)]) rmSync(join(this.podsDir, workspaceId, own, 'workspace'), { recursive: true, force: true });
  }

  logOf(workspaceId: string, generation: number): string {
    return readFileSync(join(this.podsDir, workspaceId, String(generation), 'agent.log'), 'utf8');
  }
}

/** A workspace as lifecycle would command it. */
export class Workspace {
  readonly id = newId('workspace');
  generation = 0;
  podGeneration = 0;

  constructor(
    private readonly world: World,
    private readonly deadlineSeconds = 120,
  ) {}

  /** The environment of its role. */
  env: Record<string, string> = {};

  spec(version = 1): PodSpec {
    const command = ['sh'];
    const role = { role_id: newId('role'), role_version: version, role_name: 'coder' };
    return { ...role, command, env: this.env, environment: null, provider_kind: 'none', provider_config: {}, task_timeout_seconds: 60 };
  }

  private order(generation: number) {
    return {
      operation_id: newId('operation'),
      workspace_id: this.id,
      generation,
      deadline_at: new Date(Date.now() + this.deadlineSeconds * 1_000).toISOString(),
    };
  }

  createCommand(snapshotId: string | null = null, more: Partial<CreatePod> = {}): CreatePod {
    return { ...this.order(++this.generation), spec: this.spec(), snapshot_id: snapshotId, ...more };
  }

  replaceCommand(): ReplacePod {
    return { ...this.order(++this.generation), pod_generation: this.podGeneration, force: false, spec: this.spec(2) };
  }

  removeCommand(): RemovePod {
    return { ...this.order(++this.generation), pod_generation: this.podGeneration };
  }

  async create(replica: Replica, snapshotId: string | null = null, more: Partial<CreatePod> = {}): Promise<EventRow> {
    await replica.get(JobsService).create(this.createCommand(snapshotId, more), aMessage());
    return this.ended();
  }

  async replace(replica: Replica): Promise<EventRow> {
    await replica.get(JobsService).replace(this.replaceCommand(), aMessage());
    return this.ended();
  }

  async remove(replica: Replica, more: Partial<RemovePod> = {}): Promise<EventRow> {
    await replica.get(JobsService).remove({ ...this.removeCommand(), ...more }, aMessage());
    return this.ended();
  }

  /** Waits for the last operation to end; remembers the pod where there is a new one. */
  async ended(): Promise<EventRow> {
    const event = await this.world.outcome(this.id, this.generation);
    if (event.type === 'reprise.pod.ready.v1') this.podGeneration = this.generation;
    return event;
  }
}

/** What comes with a command. */
export function aMessage(id: string = randomUUID()): MessageContext {
  return {
    id,
    queue: 'provisioner.commands',
    bodyHash: Buffer.from(id),
    orgId: ORG,
    actor: 'alice',
    correlationId: `correlation of ${id}`,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  } as unknown as MessageContext;
}

async function asAdmin(sql: string): Promise<void> {
  const admin = await new DataSource({ type: 'postgres', url: adminUrl(), poolSize: 1, installExtensions: false }).initialize();
  try {
    await admin.query(sql);
  } finally {
    await admin.destroy();
  }
}

function adminUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set: this test needs the real database');
  return url;
}
