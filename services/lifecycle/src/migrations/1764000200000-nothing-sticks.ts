import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the watchdog goes by: commands that can be sent again, deadlines of tasks, and since when a workspace is idle. */
export class NothingSticks1764000200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // `json`, not `jsonb`: a command that is sent again must be the same to the byte, or the inbox takes it for another one.
    await runner.query(`
      ALTER TABLE operations
        ADD COLUMN pod_command json,
        ADD COLUMN resend_at   timestamptz,
        ADD COLUMN resends     integer NOT NULL DEFAULT 0`);
    await runner.query(`CREATE INDEX operations_quiet ON operations (resend_at) WHERE status IN ('pending', 'running')`);
    await runner.query(`
      ALTER TABLE tasks
        ADD COLUMN timeout_seconds integer NOT NULL DEFAULT 3600,
        ADD COLUMN deadline_at     timestamptz,
        ADD COLUMN run_command     json,
        ADD COLUMN resend_at       timestamptz,
        ADD COLUMN resends         integer NOT NULL DEFAULT 0,
        ADD COLUMN interrupts      integer NOT NULL DEFAULT 0`);
    await runner.query(`ALTER TABLE tasks ALTER COLUMN timeout_seconds DROP DEFAULT`);
    await runner.query(`UPDATE tasks SET deadline_at = coalesce(started_at, created_at) + interval '2 hours'`);
    await runner.query(`ALTER TABLE tasks ALTER COLUMN deadline_at SET NOT NULL`);
    await runner.query(`ALTER TABLE workspaces ADD COLUMN idle_since timestamptz`);
    await runner.query(`UPDATE workspaces SET idle_since = updated_at WHERE status = 'idle'`);
    await runner.query(`ALTER TABLE workspaces ADD CHECK (status <> 'idle' OR idle_since IS NOT NULL)`);
    await runner.query(`CREATE INDEX workspaces_idle ON workspaces (idle_since) WHERE status = 'idle'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE workspaces DROP COLUMN idle_since`);
    await runner.query(
      `ALTER TABLE tasks DROP COLUMN timeout_seconds, DROP COLUMN deadline_at, DROP COLUMN run_command, DROP COLUMN resend_at,
         DROP COLUMN resends, DROP COLUMN interrupts`,
    );
    await runner.query(`ALTER TABLE operations DROP COLUMN pod_command, DROP COLUMN resend_at, DROP COLUMN resends`);
  }
}
