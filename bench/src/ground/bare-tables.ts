import type { Database } from './database';

const TABLES = ['providers', 'roles', 'workspaces', 'operations', 'inbox', 'outbox', 'idempotency_keys', 'audit_log'];

/**
 * Copies of lifecycle's tables, rows and indexes as they are now, in a schema that no service knows: for what does to them what lifecycle does, in bare
 * loops.
 */
export async function copyTables(database: Database): Promise<void> {
  const copies = TABLES.map(
    (name) => `CREATE TABLE bench.${name} (LIKE lifecycle.${name} INCLUDING ALL);
      INSERT INTO bench.${name} OVERRIDING SYSTEM VALUE SELECT * FROM lifecycle.${name};`,
  );
  await database.run(`
    DROP SCHEMA IF EXISTS bench CASCADE;
    CREATE SCHEMA bench;
    ${copies.join('\n')}
    ALTER TABLE bench.operations ADD FOREIGN KEY (workspace_id) REFERENCES bench.workspaces (id);
    ALTER TABLE bench.workspaces ADD FOREIGN KEY (role_id) REFERENCES bench.roles (id);`);
  await database.run('ANALYZE');
}
