import { type INestApplication, Logger } from '@nestjs/common';
import { QUEUE, newId } from '@reprise/contracts';
import { Clock } from '@reprise/platform';
import { DataSource } from 'typeorm';
import { startLifecycle } from '../../services/lifecycle/test/support/start-lifecycle';
import { record } from '../src/testing/recorder';
import { TestInstance } from './support/instance';

let instance: TestInstance;
let lifecycle: INestApplication;
const [provider, role, workspace, operation] = [newId('provider'), newId('role'), newId('workspace'), newId('operation')];

const doctor = async (...args: string[]) => {
  const { code, out, err } = await record(['doctor', ...args], instance.env);
  return { code, out, err, json: () => JSON.parse(out) };
};

beforeAll(async () => {
  Logger.overrideLogger(false);
  instance = await TestInstance.create();
  expect((await record(['setup'], instance.env)).code).toBe(0);
  lifecycle = await startLifecycle(instance.broker, instance.database, new Clock(), { watchdogIntervalSeconds: 3600 });
  const database = lifecycle.get(DataSource);
  await database.query(`INSERT INTO providers VALUES ($1, 'acme', 'p', 'none', '{}', now(), now())`, [provider]);
  await database.query(`INSERT INTO roles VALUES ($1, 'acme', $2, 'r', 'r', '[]', '{}', 60, 0, 1, now(), now())`, [role, provider]);
  await database.query(
    `INSERT INTO workspaces (id, org_id, role_id, status, generation, created_by_user_id, operation_id, created_at, updated_at)
     VALUES ($1, 'acme', $2, 'provisioning', 1, 'alice', $3, now(), now())`,
    [workspace, role, operation],
  );
  await database.query(
    `INSERT INTO operations (id, org_id, workspace_id, kind, status, generation, force, requested_by, correlation_id, phases, created_at, deadline_at,
                             pod_command, resend_at, resends)
     VALUES ($1, 'acme', $2, 'create', 'running', 1, false, 'alice', 'c', '[{"name": "restore", "status": "running"}]', now(),
             now() + interval '1 hour', '{}', now() + interval '30 seconds', 2)`,
    [operation, workspace],
  );
});

afterAll(async () => {
  await lifecycle?.close();
  await instance?.drop();
});

describe('reprise doctor', () => {
  it('shows what is stuck and where, what nobody consumes, and ends with exit code 1', async () => {
    const { code, out, err } = await doctor();
    expect(code).toBe(1);
    expect(out).toMatch(/outbox of lifecycle +empty\n/);
    expect(out).toContain(`! operation ${operation} (create) is quiet in restore: sent again 2 times, since `);
    expect(out).toContain(`! nobody consumes ${QUEUE.provisionerQueries}`);
    expect(out).toMatch(/operations in flight +1, the oldest \(create, op_\w+\) since /);
    expect(out).toMatch(/\n {4}reprise doctor --fix\n/);
    expect(err).toMatch(/problems found/);
  });

  it('says the same as JSON, and of each service what its clocks are', async () => {
    const { ok, lifecycle: found, provisioner, resent } = (await doctor('--json')).json();
    expect({ ok, provisioner, resent }).toEqual({ ok: false, provisioner: null, resent: null });
    expect(found.value).toMatchObject({ workspaces: { provisioning: 1 }, stuck_operations: [{ id: operation, workspace_id: workspace }] });
    expect(Math.abs(Date.parse(found.value.clocks.service) - Date.parse(found.value.clocks.database))).toBeLessThan(2_000);
  });

  it('with --fix lets the watchdog send what is in flight again at its next look', async () => {
    expect((await doctor('--fix', '--json')).json()).toMatchObject({ resent: 1 });
    const [row] = await lifecycle.get(DataSource).query('SELECT resend_at <= now() AS due FROM operations WHERE id = $1', [operation]);
    expect(row).toEqual({ due: true });
  });
});
