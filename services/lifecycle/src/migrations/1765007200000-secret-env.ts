import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Roles keep encrypted values of environment variables. A lifecycle of the version before inserts roles that have none. */
export class SecretEnv1765007200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE roles ADD COLUMN secret_env jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE roles DROP COLUMN secret_env`);
  }
}
