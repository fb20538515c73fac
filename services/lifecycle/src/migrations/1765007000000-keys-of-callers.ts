import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An idempotency key belongs to the caller who sent it. Rows from before have no caller; whose they are is told by the audit line of the same moment
 * (see `AnswersRepository`). A replica of the version before knows one row a key: it may add none where there is one, and finds that one then.
 */
export class KeysOfCallers1765007000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_keys
        ADD COLUMN caller text NOT NULL DEFAULT '',
        DROP CONSTRAINT idempotency_keys_pkey,
        ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (org_id, key, caller)`);
    await runner.query(`CREATE INDEX audit_log_at ON audit_log USING brin (at)`);
    await runner.query(`
      CREATE FUNCTION one_row_a_key_without_caller() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM idempotency_keys k WHERE k.org_id = NEW.org_id AND k.key = NEW.key) THEN RETURN NULL; END IF;
        RETURN NEW;
      END $$`);
    await runner.query(`
      CREATE TRIGGER one_row_a_key_without_caller BEFORE INSERT ON idempotency_keys
        FOR EACH ROW WHEN (NEW.caller = '') EXECUTE FUNCTION one_row_a_key_without_caller()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER one_row_a_key_without_caller ON idempotency_keys`);
    await runner.query(`DROP FUNCTION one_row_a_key_without_caller`);
    await runner.query(`DROP INDEX audit_log_at`);
    await runner.query(`
      DELETE FROM idempotency_keys k USING idempotency_keys o
        WHERE o.org_id = k.org_id AND o.key = k.key AND (o.created_at, o.caller) < (k.created_at, k.caller)`);
    await runner.query(`
      ALTER TABLE idempotency_keys
        DROP CONSTRAINT idempotency_keys_pkey,
        ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (org_id, key),
        DROP COLUMN caller`);
  }
}
