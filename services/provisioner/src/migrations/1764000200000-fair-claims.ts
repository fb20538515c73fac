import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each tenant's unfinished jobs in the order in which they are taken. */
export class FairClaims1764000200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX jobs_to_do_of_tenant ON jobs (coalesce(org_id, ''), available_at, id) WHERE status IN ('waiting', 'running')`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX jobs_to_do_of_tenant`);
  }
}
