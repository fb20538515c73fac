import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A role may ask that its workspaces are resumed when they lose their pods. */
export class PodLostPolicy1764000500000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE roles ADD COLUMN on_pod_lost text NOT NULL DEFAULT 'fail';
      ALTER TABLE workspaces ADD COLUMN lost_at timestamptz;
      CREATE INDEX workspaces_lost ON workspaces (lost_at) WHERE lost_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE workspaces DROP COLUMN lost_at;
      ALTER TABLE roles DROP COLUMN on_pod_lost;
    `);
  }
}
