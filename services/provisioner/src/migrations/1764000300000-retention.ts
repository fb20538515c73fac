import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Snapshots on their way out, and what finds the old rows. */
export class Retention1764000300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE snapshots DROP CONSTRAINT snapshots_status_check`);
    await runner.query(
      `ALTER TABLE snapshots ADD CONSTRAINT snapshots_status_check CHECK (status IN ('writing', 'complete', 'verified', 'deleting'))`,
    );
    // One that was never finished has no digest either when it is deleted.
    await runner.query(`ALTER TABLE snapshots DROP CONSTRAINT snapshots_check`);
    await runner.query(
      `ALTER TABLE snapshots ADD CONSTRAINT snapshots_check CHECK (status IN ('writing', 'deleting') OR tar_sha256 IS NOT NULL)`,
    );
    await runner.query(`CREATE INDEX snapshots_by_key ON snapshots (key)`);
    await runner.query(`CREATE INDEX jobs_ended ON jobs (finished_at) WHERE status IN ('succeeded', 'failed')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX jobs_ended, snapshots_by_key`);
    await runner.query(`DELETE FROM snapshots WHERE status = 'deleting'`);
    await runner.query(`ALTER TABLE snapshots DROP CONSTRAINT snapshots_status_check`);
    await runner.query(`ALTER TABLE snapshots ADD CONSTRAINT snapshots_status_check CHECK (status IN ('writing', 'complete', 'verified'))`);
  }
}
