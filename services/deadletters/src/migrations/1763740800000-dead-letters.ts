import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The letters, their replays, and what was done to them. */
export class DeadLetters1763740800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE dead_letters (
      id              text PRIMARY KEY,
      -- what makes a message the same one: a copy that fails again finds its letter by it
      identity        bytea NOT NULL UNIQUE,
      -- written by no version any more: what makes a death the same one is in the history
      death           text,
      status          text NOT NULL CHECK (status IN ('open', 'replaying', 'replayed', 'failed_again', 'discarded')),
      message_id      text,
      type            text,
      queue           text NOT NULL,
      org_id          text,
      workspace_id    text,
      sent_by         text,
      reason          text NOT NULL,
      exception       text,
      stack           text,
      attempts        integer NOT NULL,
      deaths          integer NOT NULL DEFAULT 1,
      replays         integer NOT NULL DEFAULT 0,
      fingerprint     text NOT NULL,
      first_failed_at timestamptz NOT NULL,
      last_failed_at  timestamptz NOT NULL,
      -- JSON as text: jsonb refuses what a message may hold
      headers         text NOT NULL,
      properties      text NOT NULL,
      body            bytea NOT NULL,
      replay_id       text,
      edited_from     text REFERENCES dead_letters,
      edited_to       text REFERENCES dead_letters
    )`);
    for (const column of ['queue', 'type', 'org_id', 'workspace_id', 'fingerprint', 'status']) {
      await runner.query(`CREATE INDEX dead_letters_${column} ON dead_letters (${column}, id DESC)`);
    }
    await runner.query(`CREATE TABLE replays (
      id              text PRIMARY KEY,
      status          text NOT NULL CHECK (status IN ('running', 'paused', 'done', 'cancelled')),
      rate_per_second integer NOT NULL CHECK (rate_per_second > 0),
      requested_by    text NOT NULL,
      created_at      timestamptz NOT NULL,
      finished_at     timestamptz,
      next_batch_at   timestamptz NOT NULL,
      last_error      text
    )`);
    await runner.query(`CREATE INDEX replays_running ON replays (next_batch_at) WHERE status = 'running'`);
    await runner.query(`CREATE TABLE replay_letters (
      replay_id text NOT NULL REFERENCES replays,
      letter_id text NOT NULL REFERENCES dead_letters,
      state     text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed_again', 'discarded', 'cancelled')),
      PRIMARY KEY (replay_id, letter_id)
    )`);
    await runner.query(`CREATE INDEX replay_letters_pending ON replay_letters (replay_id, letter_id) WHERE state = 'pending'`);
    await runner.query(`CREATE TABLE history (
      id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at        timestamptz NOT NULL,
      letter_id text REFERENCES dead_letters,
      replay_id text REFERENCES replays,
      action    text NOT NULL,
      actor     text,
      detail    jsonb NOT NULL DEFAULT '{}'
    )`);
    await runner.query('CREATE INDEX history_letter ON history (letter_id, id)');
    await runner.query(`CREATE FUNCTION history_is_for_good() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'what was done is recorded for good'; END $$`);
    await runner.query(`CREATE TRIGGER history_is_for_good BEFORE UPDATE OR DELETE OR TRUNCATE ON history
      FOR EACH STATEMENT EXECUTE FUNCTION history_is_for_good()`);
    await runner.query(`CREATE TABLE answers (
      org_id       text NOT NULL,
      key          text NOT NULL,
      request_hash text NOT NULL,
      answer       jsonb,
      created_at   timestamptz NOT NULL,
      PRIMARY KEY (org_id, key)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['answers', 'history', 'replay_letters', 'replays', 'dead_letters']) await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP FUNCTION history_is_for_good()');
  }
}
