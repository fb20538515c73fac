import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Jobs that save what a lost pod left, and what is known of pods whose last state nobody could save. */
export class Salvage1765006000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE jobs
        ADD COLUMN from_snapshot boolean NOT NULL DEFAULT false,
        ADD COLUMN salvage       boolean NOT NULL DEFAULT false,
        ADD COLUMN state_lost    text`);
    // A pod that was lost, and whose files nobody has saved since: its row outlives it, so that the next pod's operation can say so.
    await runner.query(`ALTER TABLE pods ADD COLUMN unsaved boolean NOT NULL DEFAULT false`);
    await runner.query(`CREATE INDEX pods_unsaved ON pods (workspace_id, generation) WHERE unsaved`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE pods DROP COLUMN unsaved`);
    await runner.query(`ALTER TABLE jobs DROP COLUMN from_snapshot, DROP COLUMN salvage, DROP COLUMN state_lost`);
  }
}
