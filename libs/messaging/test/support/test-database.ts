import { randomBytes } from 'node:crypto';
import { DataSource, type DataSourceOptions } from 'typeorm';

/** A database of its own on the real server, for one test file. */
export class TestDatabase {
  private constructor(
    readonly name: string,
    /** The administrator's address of this database; a test may put a proxy in its place. */
    public url: string,
  ) {}

  static async create(): Promise<TestDatabase> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await asAdmin(`CREATE DATABASE ${name}`);
    const url = new URL(adminUrl());
    url.pathname = `/${name}`;
    return new TestDatabase(name, url.toString());
  }

  /** A data source whose migrations have run in the schema, which is made first. */
  async connect(schema: string, migrations: Exclude<DataSourceOptions['migrations'], undefined> = []): Promise<DataSource> {
    const dataSource = new DataSource({ type: 'postgres', url: this.url, schema, migrations, poolSize: 10, installExtensions: false });
    await dataSource.initialize();
    await dataSource.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`);
    await dataSource.runMigrations();
    return dataSource;
  }

  async drop(): Promise<void> {
    await asAdmin(`DROP DATABASE ${this.name} WITH (FORCE)`);
  }
}

async function asAdmin(sql: string): Promise<void> {
  const admin = new DataSource({ type: 'postgres', url: adminUrl(), poolSize: 1, installExtensions: false });
  await admin.initialize();
  try {
    await admin.query(sql);
  } finally {
    await admin.destroy();
  }
}

function adminUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set: this test needs the real database');
  return url;
}
