import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** A database of a test's own, with a role that owns nothing but one schema, as a service's does. */
export interface TestDatabase {
  /** As the role of the service. */
  readonly url: string;
  readonly schema: string;
  /** Runs a statement in the database as the administrator. */
  admin(sql: string): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = process.env.TEST_DATABASE_URL;
  if (adminUrl === undefined) throw new Error('TEST_DATABASE_URL is not set');
  const name = `platform_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const schema = 'sample';
  await run(adminUrl, `CREATE DATABASE ${name}`);
  const here = withPath(adminUrl, name);
  await run(here, `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
  await run(here, `CREATE SCHEMA ${schema} AUTHORIZATION ${name}`);
  const url = new URL(here);
  url.username = name;
  url.password = password;
  return {
    url: url.toString(),
    schema,
    admin: (sql) => run(here, sql),
    drop: async () => {
      await run(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
      await run(adminUrl, `DROP ROLE ${name}`);
    },
  };
}

function withPath(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.toString();
}

async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
