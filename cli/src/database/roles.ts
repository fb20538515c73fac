import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, DatabaseError, escapeLiteral } from 'pg';
import type { Environment } from '../environment';
import { Failure, reasonOf } from '../failure';
import { DEPLOY } from '../paths';
import { type DatabaseAddress, withDatabase } from './client';

/** The services that keep state, each in a schema of its name. */
export const DATABASE_SERVICES = ['lifecycle', 'provisioner', 'billing', 'deadletters'] as const;
export type DatabaseService = (typeof DATABASE_SERVICES)[number];

/** `shared`: the role of the set-up may not make roles, so every service connects with it. */
export type Separation = 'per-service' | 'shared';

/**
 * Makes each service's schema, and where the role in the URL may, each service's own role (deploy/postgres/roles.sql). Doing it again changes
 * nothing but the passwords, and owners that are wrong.
 * @param password asked only where roles are made
 * @throws Failure
 */
export function setUpDatabase(address: DatabaseAddress, password: (service: DatabaseService) => string): Promise<Separation> {
  return withDatabase(address, async (client) => {
    try {
      const separation = (await mayMakeRoles(client)) ? 'per-service' : 'shared';
      await applyOnce(client, separation === 'per-service' ? rolesSql(password) : SCHEMAS_ALONE);
      return separation;
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(`the database cannot be set up: ${reasonOf(error)}`);
    }
  });
}

/** Where the set-up finds the password of each service's role: `<SERVICE>_DB_PASSWORD`. */
export function passwordsOf(environment: Environment): (service: DatabaseService) => string {
  return (service) => environment.need(`${service.toUpperCase()}_DB_PASSWORD`, `the password of the database role reprise_${service}`);
}

const SCHEMAS_ALONE = DATABASE_SERVICES.map((service) => `CREATE SCHEMA IF NOT EXISTS ${service};`).join('\n');

/** The committed file with psql's `:'name'` variables filled in. */
export function rolesSql(password: (service: DatabaseService) => string): string {
  const text = readFileSync(join(DEPLOY, 'postgres', 'roles.sql'), 'utf8');
  return DATABASE_SERVICES.reduce((sql, service) => sql.replaceAll(`:'${service}_password'`, () => escapeLiteral(password(service))), text);
}

async function mayMakeRoles(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    'SELECT rolsuper OR rolcreaterole AS may FROM pg_roles WHERE rolname = current_user',
  );
  return rows[0]?.may === true;
}

const ATTEMPTS = 10;

/**
 * Roles belong to the whole server: set-ups of two databases on it at once meet in the same catalogue rows, which PostgreSQL answers with
 * "tuple concurrently updated" (XX000) or a duplicate, and no advisory lock reaches across databases. Everything here can be repeated.
 */
async function applyOnce(client: Client, sql: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      // One message of several statements is one transaction: all of it, or nothing.
      await client.query(sql);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !isCollision(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * Math.random() * attempt));
    }
  }
}

function isCollision(error: unknown): boolean {
  return error instanceof DatabaseError && ['XX000', '23505', '42710', '42P06', '40P01'].includes(error.code ?? '');
}
