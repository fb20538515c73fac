import type { MigrationInterface, QueryRunner } from 'typeorm';
import { table } from './tables';

/** Seconds that the process which wrote an outbox row has to publish it before any relay's sweep may. */
export const HAND_OVER_SECONDS = 5;

/**
 * The migration that makes `outbox` and `inbox` in a service's schema. Each service lists it among its own migrations; `timestamp` orders it
 * there (TypeORM reads it from the end of the name).
 *
 * `outbox`: one row per message not yet known to be with the broker. `inbox`: one row per message that a consumer has applied, for good as
 * far as redelivery goes (kept `INBOX_RETENTION_DAYS`), with the answer that a repeated one gets. Columns: `consumer`, `message_id` (the key),
 * `body_hash` (SHA-256, see `MessageContext.bodyHash`), `reply` (null: none), `received_at`.
 */
export function messagingMigration(schema: string, timestamp = 1700000000000): new () => MigrationInterface {
  const outbox = table(schema, 'outbox');
  const inbox = table(schema, 'inbox');

  return class Messaging implements MigrationInterface {
    readonly name = `Messaging${timestamp}`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(`CREATE TABLE ${outbox} (
        id              uuid PRIMARY KEY,
        subject         text,
        exchange        text NOT NULL,
        routing_key     text NOT NULL,
        properties      jsonb NOT NULL,
        -- text, not jsonb: a message that is sent twice must be the same to the byte
        body            text NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT now(),
        attempts        integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now() + interval '${HAND_OVER_SECONDS} seconds',
        last_error      text
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`);
      await runner.query(`CREATE TABLE ${inbox} (
        consumer    text NOT NULL,
        message_id  text NOT NULL,
        body_hash   bytea NOT NULL,
        reply       jsonb,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (consumer, message_id)
      )`);
      // Rows arrive in the order of time, so a BRIN index finds the old ones and costs an insert next to nothing.
      await runner.query(`CREATE INDEX inbox_received_at ON ${inbox} USING brin (received_at)`);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE ${inbox}`);
      await runner.query(`DROP TABLE ${outbox}`);
    }
  };
}
