import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A role says what its pods run in. A lifecycle of the version before inserts roles that say nothing. */
export class RoleRuntime1764000400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE roles ADD COLUMN runtime jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE roles DROP COLUMN runtime`);
  }
}
