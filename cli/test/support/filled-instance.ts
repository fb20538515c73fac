import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client, type QueryResultRow } from 'pg';
import { migrate } from '../../src/backup/migrations';
import type { Manifest } from '../../src/backup/manifest';
import { DATABASE_SERVICES, type DatabaseService } from '../../src/database/roles';
import { Environment } from '../../src/environment';
import { record } from '../../src/testing/recorder';
import { TestInstance } from './instance';

/** Two workspaces, a stopped one with a snapshot and an idle one with a checkpoint, and rows of every other kind that a restore can get wrong. */
const ROWS = [
  `INSERT INTO billing.tenants VALUES ('acme', 'active', NULL, now(), now())`,
  `INSERT INTO lifecycle.providers VALUES ('prov_1', 'acme', E'tab\\tline\\nback\\\\slash ü \\'\\'', 'anthropic', '{"a": [1, null]}', now(), now())`,
  `INSERT INTO lifecycle.roles (id, org_id, provider_id, name, display_name, command, env, task_timeout_seconds, idle_timeout_seconds, version,
     created_at, updated_at) VALUES ('role_1', 'acme', 'prov_1', 'r', 'R', '["sh"]', '{}', 1, 1, 1, now(), now())`,
  `INSERT INTO lifecycle.workspaces (id, org_id, role_id, status, generation, pod_generation, created_by_user_id, snapshot_ref, created_at, updated_at,
     idle_since)
     VALUES ('ws_stopped', 'acme', 'role_1', 'stopped', 2, NULL, 'u', 'snap_1', now(), now(), NULL),
            ('ws_idle', 'acme', 'role_1', 'idle', 1, 1, 'u', 'snap_2', now(), now(), now()),
            ('ws_failed', 'acme', 'role_1', 'failed', 1, NULL, 'u', NULL, now(), now(), NULL)`,
  `INSERT INTO lifecycle.audit_log (at, org_id, actor, action, subject, message_id, detail)
     SELECT now(), 'acme', 'u', 'made', 's', 'm' || n, '{}' FROM generate_series(1, 7) n`,
  // A row without a caller beside one with: the trigger of the table would drop it.
  `INSERT INTO lifecycle.idempotency_keys (org_id, key, request_hash, reply, created_at, caller) VALUES ('acme', 'k', 'h', '{}', now(), '')`,
  `INSERT INTO lifecycle.idempotency_keys (org_id, key, request_hash, reply, created_at, caller) VALUES ('acme', 'k', 'h', '{}', now(), 'a')`,
  `INSERT INTO lifecycle.outbox (id, exchange, routing_key, properties, body)
     VALUES (gen_random_uuid(), 'reprise.events', 'x', '{}', '{"data": "\\\\n"}')`,
  `INSERT INTO deadletters.dead_letters (id, identity, status, queue, reason, attempts, fingerprint, first_failed_at, last_failed_at, headers,
     properties, body, edited_to) VALUES ('b', '\\x00ff', 'open', 'q', 'r', 1, 'f', now(), now(), '{}', '{}', '\\x0a5c00', 'c'),
                                         ('c', '\\x01', 'open', 'q', 'r', 1, 'f', now(), now(), '{}', '{}', '', NULL)`,
  `INSERT INTO deadletters.history (at, letter_id, action) VALUES (now(), 'b', 'edited')`,
];

/** An instance without services: what they keep in database, broker and snapshot store. */
export class FilledInstance {
  private constructor(
    readonly servers: TestInstance,
    /** Of the snapshots. */
    readonly snapshots: string,
  ) {}

  /** Roles, schemas and queues. */
  static async create(snapshots: string): Promise<FilledInstance> {
    const instance = new FilledInstance(await TestInstance.create(), snapshots);
    mkdirSync(snapshots, { recursive: true });
    expect(await record(['setup'], instance.env)).toMatchObject({ code: 0 });
    return instance;
  }

  get env(): NodeJS.ProcessEnv {
    return { ...this.servers.env, SNAPSHOTS_DIR: this.snapshots };
  }

  /** @param to the last migrations; all where not given */
  migrate(to?: Manifest['schemas']): Promise<void> {
    return migrate(new Environment(this.env, undefined), 'per-service', to);
  }

  async fill(): Promise<void> {
    for (const statement of ROWS) {
      const [, schema] = /^INSERT INTO (\w+)\./.exec(statement)!;
      // By its own service, in whose search path the triggers find their tables.
      await this.sql(statement, [], this.servers.databaseUrlOf(schema as DatabaseService));
    }
    await this.addSnapshot('snap_1', 'ws_stopped');
    await this.addSnapshot('snap_2', 'ws_idle');
  }

  async addSnapshot(id: string, workspace: string): Promise<void> {
    const content = Buffer.from(`files of ${workspace} at ${id}`);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const path = this.objectOf(id, workspace);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    await this.sql(
      `INSERT INTO provisioner.snapshots (id, workspace_id, generation, status, key, tar_sha256, stored_sha256, stored_bytes, verified_at)
         VALUES ($1, $2, 1, 'verified', $3, 'x', $4, $5, now())`,
      [id, workspace, `${workspace}/${id}.1.tar.br`, sha256, content.length],
    );
  }

  /** The file of a snapshot. */
  objectOf(id: string, workspace: string): string {
    return join(this.snapshots, workspace, `${id}.1.tar.br`);
  }

  /** By the administrator. */
  async sql<R extends QueryResultRow>(text: string, values: unknown[] = [], url = this.servers.database.url): Promise<R[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** All rows of all tables, as text, and the owners of all that there is. */
  async everything(): Promise<Record<string, string[]>> {
    const tables = await this.sql<{ schema: string; name: string; owner: string }>(
      `SELECT schemaname AS schema, tablename AS name, tableowner AS owner FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1, 2`,
      [DATABASE_SERVICES],
    );
    const all: Record<string, string[]> = {};
    for (const { schema, name, owner } of tables) {
      // When a migration ran is not what it did.
      const rows = name === 'migrations' ? 'SELECT name AS row' : 'SELECT t::text AS row';
      const found = await this.sql<{ row: string }>(`${rows} FROM ${schema}.${name} t ORDER BY 1`);
      all[`${schema}.${name} of ${owner}`] = found.map(({ row }) => row);
    }
    return all;
  }

  drop(): Promise<void> {
    return this.servers.drop();
  }
}
