import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the pod of an operation began from: a snapshot, what a lost pod left, or nothing. */
export class StateFrom1765006000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE operations ADD COLUMN state_from text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE operations DROP COLUMN state_from`);
  }
}
