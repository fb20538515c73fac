import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tenants. */
export class Tenants1761955200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE tenants (
      org_id        text PRIMARY KEY,
      posture       text NOT NULL CHECK (posture IN ('active', 'trial', 'past_due', 'decommissioning')),
      trial_ends_at timestamptz,
      created_at    timestamptz NOT NULL,
      updated_at    timestamptz NOT NULL,
      CONSTRAINT trial_has_an_end CHECK ((posture = 'trial') = (trial_ends_at IS NOT NULL))
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tenants');
  }
}
