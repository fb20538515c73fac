import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often a role wants idle workspaces saved, and what tells when one is due. */
export class Checkpoints1765006000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE roles ADD COLUMN checkpoint_interval_seconds integer NOT NULL DEFAULT 0;
      ALTER TABLE workspaces
        ADD COLUMN saved_at            timestamptz,
        ADD COLUMN checkpoint_asked_at timestamptz,
        ADD COLUMN background_work     boolean NOT NULL DEFAULT false;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE workspaces DROP COLUMN saved_at, DROP COLUMN checkpoint_asked_at, DROP COLUMN background_work;
      ALTER TABLE roles DROP COLUMN checkpoint_interval_seconds;
    `);
  }
}
