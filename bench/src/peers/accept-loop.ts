import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { newId } from '@reprise/contracts';
import { tenantOf } from '../ground/callers';
import { seededWorkspace } from '../ground/seed';
import { serve } from './helper';

/** What the loop is asked for: so many transactions, each on a workspace of its own, by so many clients. */
export interface AcceptLoopOrder {
  readonly databaseUrl: string;
  readonly clients: number;
  readonly transactions: number;
  readonly tenants: number;
}

const LOCK = {
  name: 'lock',
  text: `SELECT w.*, to_jsonb(r) AS role, to_jsonb(p) AS provider
    FROM workspaces w JOIN roles r ON r.id = w.role_id JOIN providers p ON p.id = r.provider_id WHERE w.id = $1 AND w.org_id = $2 FOR UPDATE OF w`,
};

/** All that an accepted restart leaves behind, in one statement: its change, its operation, its audit line, what it is answered with, its messages. */
const ACCEPT = {
  name: 'accept',
  text: `WITH workspace AS (
      UPDATE workspaces SET status = 'stopping', generation = $3::integer + 1, operation_id = $4, idle_since = NULL, lost_at = NULL, updated_at = now()
       WHERE id = $1 AND generation = $3 RETURNING 1
    ), operation AS (
      INSERT INTO operations (id, org_id, workspace_id, kind, status, generation, force, requested_by, correlation_id, created_at, deadline_at,
                              pod_command, resend_at)
      VALUES ($4, $2, $1, 'restart', 'pending', $3::integer + 1, false, 'bench', $5, now(), now() + interval '10 minutes', $6::json,
              now() + interval '30 seconds') RETURNING 1
    ), audit AS (
      INSERT INTO audit_log (at, org_id, actor, action, subject, message_id, detail)
      VALUES (now(), $2, 'bench', 'reprise.workspace.restart.v1', $1, $5, $7::jsonb) RETURNING 1
    ), inbox_row AS (
      INSERT INTO inbox (consumer, message_id, body_hash, reply) VALUES ('lifecycle.commands', $5, $8, $7::jsonb) RETURNING 1
    ), key_row AS (
      INSERT INTO idempotency_keys (org_id, key, request_hash, reply, created_at) VALUES ($2, $5, $9, $7::jsonb, now()) RETURNING 1
    ), outbox_rows AS (
      INSERT INTO outbox (id, subject, exchange, routing_key, properties, body)
      SELECT r.id, r.subject, r.exchange, r.routing_key, r.properties, r.body
        FROM json_to_recordset($10::json) AS r(id uuid, subject text, exchange text, routing_key text, properties jsonb, body text) RETURNING 1
    ) SELECT (SELECT count(*) FROM workspace) + (SELECT count(*) FROM outbox_rows) AS changed`,
};

/** As large as those of a restart. */
const BODY = JSON.stringify({ spec: 'x'.repeat(550) });
const PROPERTIES = {
  type: 'reprise.pod.replace.v1',
  headers: { traceparent: 'x'.repeat(55), time: 'x'.repeat(24), source: 'lifecycle', org: 'x' },
};
const HASH = 'ab'.repeat(32);

/** The accept transaction alone, by clients that do nothing else: prepared statements, no broker, no rules. Resolves with transactions a second. */
async function acceptLoop({ databaseUrl, clients, transactions, tenants }: AcceptLoopOrder): Promise<number> {
  const connections = await Promise.all(Array.from({ length: clients }, () => connected(databaseUrl)));
  await connections[0]?.query('TRUNCATE outbox');
  let next = 0;
  const began = performance.now();
  await Promise.all(
    connections.map(async (client) => {
      for (let number = next++; number < transactions; number = next++) await accept(client, number, tenants);
    }),
  );
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all(connections.map((client) => client.end()));
  return transactions / seconds;
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, options: '-c search_path=bench' });
  await client.connect();
  return client;
}

async function accept(client: Client, number: number, tenants: number): Promise<void> {
  const [workspace, org] = [seededWorkspace(number), tenantOf(number % tenants)];
  await client.query('BEGIN');
  const { rows } = await client.query<{ generation: number }>({ ...LOCK, values: [workspace, org] });
  const generation = rows[0]?.generation;
  if (generation === undefined) throw new Error(`${workspace} is not there`);
  const [operation, message] = [newId('operation'), newId('message')];
  const reply = JSON.stringify({ status: 'done', value: { status: 'restarting', operation_id: operation } });
  const rowsOut = ['commands', 'events'].map((exchange) => ({
    id: randomUUID(),
    subject: workspace,
    exchange: `reprise.${exchange}`,
    routing_key: 'reprise.pod.replace.v1',
    properties: { ...PROPERTIES, messageId: message },
    body: BODY,
  }));
  await client.query({
    ...ACCEPT,
    values: [workspace, org, generation, operation, message, BODY, reply, Buffer.from(HASH, 'hex'), HASH, JSON.stringify(rowsOut)],
  });
  await client.query('COMMIT');
}

serve(acceptLoop);
