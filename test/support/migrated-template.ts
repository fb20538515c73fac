import type { Client } from 'pg';

/**
 * A database that the migrations have run on, for the stacks of one test run to be copies of: the four processes that run them cost a second of a
 * processor each. It has the name of the run, so that what another one left, of older migrations, is never taken.
 */
const NAME = `reprise_template_${process.env.REPRISE_TEST_RUN}`;
/** That name is taken, or was at the same moment; someone is connected. */
const NOT_NOW = ['42P04', '23505', '55006'];

/** @returns whether there is a template and the database is made of it */
export async function copyTemplate(admin: Client, database: string): Promise<boolean> {
  const { rows } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
  return rows.length > 0 && create(admin, database, NAME);
}

/** Makes the template, where there is none yet, of a database that nobody is connected to. */
export async function makeTemplate(admin: Client, database: string): Promise<void> {
  await create(admin, NAME, database);
}

export async function dropTemplate(admin: Client): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${NAME} WITH (FORCE)`);
}

async function create(admin: Client, database: string, template: string): Promise<boolean> {
  try {
    await admin.query(`CREATE DATABASE ${database} TEMPLATE ${template}`);
    return true;
  } catch (error) {
    if (NOT_NOW.includes((error as { code: string }).code)) return false;
    throw error;
  }
}
