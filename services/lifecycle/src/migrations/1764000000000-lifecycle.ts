import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of lifecycle. `search_path` is the service's own schema. */
export class Lifecycle1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE providers (
        id          text PRIMARY KEY,
        org_id      text NOT NULL,
        name        text NOT NULL,
        kind        text NOT NULL,
        config      jsonb NOT NULL,
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        archived_at timestamptz,
        CONSTRAINT providers_name_in_org UNIQUE (org_id, name)
      )`);
    await runner.query(`
      CREATE TABLE roles (
        id                   text PRIMARY KEY,
        org_id               text NOT NULL,
        provider_id          text NOT NULL REFERENCES providers (id),
        name                 text NOT NULL,
        display_name         text NOT NULL,
        command              jsonb NOT NULL,
        env                  jsonb NOT NULL,
        task_timeout_seconds integer NOT NULL,
        idle_timeout_seconds integer NOT NULL,
        version              integer NOT NULL,
        created_at           timestamptz NOT NULL,
        updated_at           timestamptz NOT NULL,
        archived_at          timestamptz,
        CONSTRAINT roles_name_in_org UNIQUE (org_id, name)
      )`);
    await runner.query(`CREATE INDEX roles_of_provider ON roles (provider_id)`);
    await runner.query(`
      CREATE TABLE workspaces (
        id                  text PRIMARY KEY,
        org_id              text NOT NULL,
        role_id             text NOT NULL REFERENCES roles (id),
        environment         text,
        status              text NOT NULL CHECK (status IN ('provisioning', 'idle', 'busy', 'stopping', 'stopped', 'failed')),
        generation          integer NOT NULL,
        pod_generation      integer,
        pod_role_version    integer,
        created_by_user_id  text NOT NULL,
        snapshot_ref        text,
        last_snapshot_error text,
        operation_id        text,
        running_task_id     text,
        created_at          timestamptz NOT NULL,
        updated_at          timestamptz NOT NULL,
        archived_at         timestamptz,
        -- A busy workspace has a task; a pod is never newer than what was accepted.
        CHECK (status <> 'busy' OR running_task_id IS NOT NULL),
        CHECK (pod_generation <= generation)
      )`);
    // TypeIDs grow with time, so a page by id, descending, is a page newest first.
    await runner.query(`CREATE INDEX workspaces_of_org ON workspaces (org_id, id DESC)`);
    await runner.query(`CREATE INDEX workspaces_of_creator ON workspaces (org_id, created_by_user_id, id DESC)`);
    await runner.query(`CREATE INDEX workspaces_running_by_role ON workspaces (role_id) WHERE status NOT IN ('stopped', 'failed')`);
    await runner.query(`
      CREATE TABLE operations (
        id             text PRIMARY KEY,
        org_id         text NOT NULL,
        workspace_id   text NOT NULL REFERENCES workspaces (id),
        kind           text NOT NULL,
        status         text NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed')),
        generation     integer NOT NULL,
        force          boolean NOT NULL,
        requested_by   text NOT NULL,
        correlation_id text NOT NULL,
        phases         jsonb NOT NULL DEFAULT '[]',
        error          jsonb,
        created_at     timestamptz NOT NULL,
        deadline_at    timestamptz NOT NULL,
        finished_at    timestamptz,
        CONSTRAINT operations_fence UNIQUE (workspace_id, generation)
      )`);
    await runner.query(`CREATE INDEX operations_in_flight ON operations (deadline_at) WHERE status IN ('pending', 'running')`);
    await runner.query(`
      CREATE TABLE tasks (
        id             text PRIMARY KEY,
        org_id         text NOT NULL,
        workspace_id   text NOT NULL REFERENCES workspaces (id),
        pod_generation integer NOT NULL,
        description    text NOT NULL,
        status         text NOT NULL,
        output         text,
        reason         text,
        requested_by   text NOT NULL,
        correlation_id text NOT NULL,
        created_at     timestamptz NOT NULL,
        started_at     timestamptz,
        completed_at   timestamptz
      )`);
    await runner.query(`CREATE INDEX tasks_of_workspace ON tasks (workspace_id, id DESC)`);
    await runner.query(
      `CREATE UNIQUE INDEX tasks_one_at_a_time ON tasks (workspace_id) WHERE status IN ('submitted', 'delivered', 'running')`,
    );
    await runner.query(`
      CREATE TABLE idempotency_keys (
        org_id       text NOT NULL,
        key          text NOT NULL,
        request_hash text NOT NULL,
        reply        jsonb NOT NULL,
        created_at   timestamptz NOT NULL,
        PRIMARY KEY (org_id, key)
      )`);
    await runner.query(`CREATE INDEX idempotency_keys_created_at ON idempotency_keys USING brin (created_at)`);
    await runner.query(`
      CREATE TABLE audit_log (
        id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at         timestamptz NOT NULL,
        org_id     text NOT NULL,
        actor      text NOT NULL,
        action     text NOT NULL,
        subject    text NOT NULL,
        message_id text NOT NULL,
        detail     jsonb NOT NULL
      )`);
    await runner.query(`CREATE INDEX audit_log_of_subject ON audit_log (subject, id DESC)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit_log, idempotency_keys, tasks, operations, workspaces, roles, providers`);
  }
}
