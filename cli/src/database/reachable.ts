import { Client } from 'pg';
import { certificateProblem, within } from '@reprise/platform/tools';
import type { Environment } from '../environment';
import { reasonOf } from '../failure';
import { connectionTo } from './client';

const PATIENCE_MS = 4_000;

/** Why the database cannot be used, null where it can; undefined where none is configured here. Resolves within a few seconds, and never rejects. */
export async function databaseProblem(environment: Environment): Promise<string | null | undefined> {
  const url = environment.get('DATABASE_URL');
  if (url === undefined) return undefined;
  try {
    const client = new Client({
      ...connectionTo(url, environment.get('DATABASE_CA_FILE')),
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
    });
    client.on('error', () => undefined);
    await within(
      PATIENCE_MS,
      client.connect().then(() => client.query('SELECT 1')),
    ).finally(() => void client.end().catch(() => undefined));
    return null;
  } catch (error) {
    return certificateProblem(error, 'DATABASE_CA_FILE') ?? reasonOf(error);
  }
}
