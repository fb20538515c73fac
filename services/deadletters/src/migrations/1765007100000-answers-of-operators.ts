import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An idempotency key belongs to the operator who sent it. Rows from before have no caller; whose they are is told by the history of the same moment (see
 * `AnswersRepository`). A replica of the version before knows one row a key: it may add none where there is one, finds that one then, and may not write
 * its answer into another's row.
 */
export class AnswersOfOperators1765007100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE answers
        ADD COLUMN caller text NOT NULL DEFAULT '',
        DROP CONSTRAINT answers_pkey,
        ADD CONSTRAINT answers_pkey PRIMARY KEY (org_id, key, caller)`);
    await runner.query(`CREATE INDEX history_at ON history USING brin (at)`);
    await runner.query(`
      CREATE FUNCTION one_answer_a_key_without_caller() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM answers k WHERE k.org_id = NEW.org_id AND k.key = NEW.key) THEN RETURN NULL; END IF;
        RETURN NEW;
      END $$`);
    await runner.query(`
      CREATE TRIGGER one_answer_a_key_without_caller BEFORE INSERT ON answers
        FOR EACH ROW WHEN (NEW.caller = '') EXECUTE FUNCTION one_answer_a_key_without_caller()`);
    await runner.query(`
      CREATE FUNCTION first_answer_stands() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`);
    await runner.query(`
      CREATE TRIGGER first_answer_stands BEFORE UPDATE ON answers
        FOR EACH ROW WHEN (OLD.answer IS NOT NULL) EXECUTE FUNCTION first_answer_stands()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TRIGGER first_answer_stands ON answers`);
    await runner.query(`DROP TRIGGER one_answer_a_key_without_caller ON answers`);
    await runner.query(`DROP FUNCTION first_answer_stands, one_answer_a_key_without_caller`);
    await runner.query(`DROP INDEX history_at`);
    await runner.query(`
      DELETE FROM answers k USING answers o
        WHERE o.org_id = k.org_id AND o.key = k.key AND (o.created_at, o.caller) < (k.created_at, k.caller)`);
    await runner.query(`
      ALTER TABLE answers DROP CONSTRAINT answers_pkey, ADD CONSTRAINT answers_pkey PRIMARY KEY (org_id, key), DROP COLUMN caller`);
  }
}
