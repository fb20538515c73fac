import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Jobs that remove pods without saving them. */
export class WithoutSnapshot1765008000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE jobs ADD COLUMN without_snapshot boolean NOT NULL DEFAULT false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE jobs DROP COLUMN without_snapshot`);
  }
}
