import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Snapshots in the order in which they were begun: a checkpoint raises no generation, so a generation may have several. */
export class SnapshotSequence1765006000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE snapshots ADD COLUMN seq bigint, ADD COLUMN reason text`);
    await runner.query(`
      UPDATE snapshots s SET seq = n.place
        FROM (SELECT id, row_number() OVER (ORDER BY generation, created_at, id) AS place FROM snapshots) n WHERE n.id = s.id`);
    await runner.query(`CREATE SEQUENCE snapshots_seq OWNED BY snapshots.seq`);
    await runner.query(`SELECT setval('snapshots_seq', (SELECT coalesce(max(seq), 0) + 1 FROM snapshots), false)`);
    await runner.query(`ALTER TABLE snapshots ALTER COLUMN seq SET DEFAULT nextval('snapshots_seq'), ALTER COLUMN seq SET NOT NULL`);
    await runner.query(`ALTER TABLE snapshots DROP CONSTRAINT snapshots_of_generation`);
    await runner.query(`CREATE INDEX snapshots_newest ON snapshots (workspace_id, seq DESC) WHERE status = 'verified'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX snapshots_newest`);
    // One of each generation, the newest.
    await runner.query(`
      DELETE FROM snapshots s USING snapshots n
       WHERE n.workspace_id = s.workspace_id AND n.generation = s.generation AND n.seq > s.seq`);
    await runner.query(`ALTER TABLE snapshots ADD CONSTRAINT snapshots_of_generation UNIQUE (workspace_id, generation)`);
    await runner.query(`ALTER TABLE snapshots DROP COLUMN seq, DROP COLUMN reason`);
  }
}
