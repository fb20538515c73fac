import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A failed workspace says why. Those that have failed already say it by their last operation, where that is what failed. */
export class WorkspaceFailure1765007300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE workspaces ADD COLUMN failure jsonb`);
    await runner.query(`
      UPDATE workspaces w
         SET failure = o.error || jsonb_build_object('operation_id', o.id, 'at', to_char(o.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        FROM operations o
       WHERE w.status = 'failed' AND o.workspace_id = w.id AND o.generation = w.generation AND o.error IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE workspaces DROP COLUMN failure`);
  }
}
