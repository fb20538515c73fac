import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A pod may be told lost before the operation that made it, or kept it, is told ended. */
export class LostMeanwhile1764000300000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE workspaces ADD COLUMN lost_generation integer`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE workspaces DROP COLUMN lost_generation`);
  }
}
