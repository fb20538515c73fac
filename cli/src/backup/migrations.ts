import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type DatabaseAddress, databaseAddress } from '../database/client';
import { DATABASE_SERVICES, type DatabaseService, passwordsOf, type Separation } from '../database/roles';
import type { Environment } from '../environment';
import { Failure, reasonOf } from '../failure';
import { migrateScript } from '../paths';
import { type Manifest, productVersion } from './manifest';

const run = promisify(execFile);

/**
 * Whether this version can restore the backup: it knows all migrations of it, and none that comes between them.
 * @returns whether it has migrations that come after those of the backup
 * @throws Failure where it cannot
 */
export async function mustKnowMigrations(manifest: Manifest): Promise<boolean> {
  const left = await Promise.all(
    DATABASE_SERVICES.map(async (schema) => {
      const ran = manifest.schemas[schema].migrations;
      const known = await knownMigrations(schema);
      const strange = ran.find((name) => !known.includes(name));
      if (strange !== undefined) {
        const versions = `the backup is of Reprise ${manifest.product_version}, and this is ${productVersion()}`;
        throw new Failure(`${versions}, which does not know the migration ${strange} of ${schema}; restore it with a version that does`);
      }
      const between = known.slice(0, ran.length).find((name) => !ran.includes(name));
      if (between !== undefined)
        throw new Failure(`the backup lacks the migration ${between} of ${schema}, which comes before its last one`);
      return known.length > ran.length;
    }),
  );
  return left.some(Boolean);
}

async function knownMigrations(service: DatabaseService): Promise<string[]> {
  try {
    const { stdout } = await run(process.execPath, [migrateScript(service), '--list']);
    return JSON.parse(stdout) as string[];
  } catch (error) {
    throw new Failure(`${migrateScript(service)} does not tell its migrations: ${reasonOf(error)}`);
  }
}

/**
 * Runs the migrations of all services, each with its own role, as the set-up does.
 * @param to the last one of each service; all where not given
 */
export async function migrate(environment: Environment, separation: Separation, to?: Manifest['schemas']): Promise<void> {
  await Promise.all(
    DATABASE_SERVICES.map(async (service) => {
      const { url, caFile } = addressOf(environment, service, separation);
      const { PATH, NODE_EXTRA_CA_CERTS } = process.env;
      const last = to?.[service].migrations.at(-1);
      const settings = { PATH, NODE_EXTRA_CA_CERTS, DATABASE_URL: url, DATABASE_CA_FILE: caFile, MIGRATE_TO: last };
      const env = Object.fromEntries(Object.entries({ ...settings, LOG_FORMAT: 'json' }).filter(([, value]) => value !== undefined));
      await run(process.execPath, [migrateScript(service)], { env }).catch((error: unknown) => {
        throw new Failure(`the migrations of ${service} failed: ${lastMessage((error as { stdout?: string }).stdout) ?? reasonOf(error)}`);
      });
    }),
  );
}

function addressOf(environment: Environment, service: DatabaseService, separation: Separation): DatabaseAddress {
  const { url: admin, caFile } = databaseAddress(environment);
  const given = environment.get(`${service.toUpperCase()}_DATABASE_URL`);
  if (given !== undefined || separation === 'shared') return { url: given ?? admin, caFile };
  const url = new URL(admin);
  url.username = `reprise_${service}`;
  url.password = passwordsOf(environment)(service);
  return { url: url.toString(), caFile };
}

/** A service's log is JSON, a line each. */
function lastMessage(log: string | undefined): string | undefined {
  const line = log?.trimEnd().split('\n').at(-1);
  try {
    return (JSON.parse(line ?? '') as { msg?: string }).msg;
  } catch {
    return line === '' ? undefined : line;
  }
}
