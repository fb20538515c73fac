import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of the provisioner. `search_path` is the service's own schema. */
export class Provisioner1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The highest generation that was accepted for each workspace. Raised before anything else is done for it, never lowered.
    await runner.query(`
      CREATE TABLE fences (
        workspace_id text PRIMARY KEY,
        generation   integer NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE jobs (
        id              text PRIMARY KEY,
        kind            text NOT NULL CHECK (kind IN ('create', 'replace', 'remove')),
        operation_id    text NOT NULL,
        workspace_id    text NOT NULL,
        org_id          text,
        generation      integer NOT NULL,
        pod_generation  integer,
        spec            jsonb,
        snapshot_id     text,
        deadline_at     timestamptz NOT NULL,
        accepted_at     timestamptz NOT NULL,
        correlation_id  text NOT NULL,
        traceparent     text,
        actor           text,
        status          text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'running', 'succeeded', 'failed')),
        -- Until then nobody may take the job: the end of the lease while a worker holds it, of the pause while none does.
        available_at    timestamptz NOT NULL DEFAULT now(),
        epoch           integer NOT NULL DEFAULT 0,
        worker          text,
        step            text,
        attempt         integer NOT NULL DEFAULT 0,
        begun           boolean NOT NULL DEFAULT false,
        failures        integer NOT NULL DEFAULT 0,
        new_snapshot_id text,
        ending          jsonb,
        finished_at     timestamptz,
        CONSTRAINT jobs_fence UNIQUE (workspace_id, generation),
        CHECK (kind = 'remove' OR spec IS NOT NULL),
        CHECK (kind = 'create' OR pod_generation IS NOT NULL)
      )`);
    await runner.query(`CREATE INDEX jobs_to_do ON jobs (available_at) WHERE status IN ('waiting', 'running')`);
    await runner.query(`CREATE INDEX jobs_to_do_of_workspace ON jobs (workspace_id, generation) WHERE status IN ('waiting', 'running')`);
    await runner.query(`
      CREATE TABLE job_steps (
        job_id      text NOT NULL REFERENCES jobs (id),
        step        text NOT NULL,
        attempt     integer NOT NULL,
        status      text NOT NULL CHECK (status IN ('started', 'succeeded', 'failed')),
        started_at  timestamptz NOT NULL,
        finished_at timestamptz,
        detail      text,
        worker      text NOT NULL,
        PRIMARY KEY (job_id, step, attempt)
      )`);
    await runner.query(`
      CREATE TABLE pods (
        workspace_id text NOT NULL,
        generation   integer NOT NULL,
        org_id       text,
        status       text NOT NULL CHECK (status IN ('creating', 'live', 'removing', 'gone', 'lost')),
        address      text,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, generation)
      )`);
    // The invariant "one pod", as far as the records go, held by the database itself.
    await runner.query(`CREATE UNIQUE INDEX pods_one_live ON pods (workspace_id) WHERE status = 'live'`);
    await runner.query(`CREATE INDEX pods_there ON pods (workspace_id, generation) WHERE status <> 'gone'`);
    await runner.query(`
      CREATE TABLE snapshots (
        id            text PRIMARY KEY,
        workspace_id  text NOT NULL,
        org_id        text,
        generation    integer NOT NULL,
        status        text NOT NULL CHECK (status IN ('writing', 'complete', 'verified')),
        key           text NOT NULL,
        tar_sha256    text,
        tar_bytes     bigint,
        entries       integer,
        stored_sha256 text,
        stored_bytes  bigint,
        encoding      text,
        created_at    timestamptz NOT NULL DEFAULT now(),
        verified_at   timestamptz,
        CONSTRAINT snapshots_of_generation UNIQUE (workspace_id, generation),
        CHECK (status = 'writing' OR tar_sha256 IS NOT NULL)
      )`);
    await runner.query(`CREATE INDEX snapshots_verified ON snapshots (workspace_id, generation DESC) WHERE status = 'verified'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE snapshots, pods, job_steps, jobs, fences`);
  }
}
