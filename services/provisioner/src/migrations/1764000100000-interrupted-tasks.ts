import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tasks that were interrupted, perhaps before they were delivered. Kept for a day. */
export class InterruptedTasks1764000100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE interrupted_tasks (
        task_id text PRIMARY KEY,
        at      timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE interrupted_tasks`);
  }
}
