import { Client, type ClientConfig } from 'pg';
import { certificateProblem, databaseTls } from '@reprise/platform/tools';
import type { Environment } from '../environment';
import { Failure, reasonOf, unreachable } from '../failure';

const CONNECT_TIMEOUT_MS = 10_000;

/** The administrator's way to the database. */
export interface DatabaseAddress {
  readonly url: string;
  /** The authority that the database's certificate must come from: `DATABASE_CA_FILE`. */
  readonly caFile: string | undefined;
}

/** @throws Failure where `DATABASE_URL` is not set */
export function databaseAddress(environment: Environment): DatabaseAddress {
  return { url: environment.need('DATABASE_URL', 'the database'), caFile: environment.get('DATABASE_CA_FILE') };
}

/** A connection for as long as the work takes. @throws Failure (exit code 3) where the database cannot be reached */
export async function withDatabase<T>({ url, caFile }: DatabaseAddress, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...connectionTo(url, caFile), connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A connection that breaks fails the query in hand; without a listener it would end the process as well.
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    throw unreachable(`the database cannot be reached: ${certificateProblem(error, 'DATABASE_CA_FILE') ?? reasonOf(error)}`);
  });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** @throws Failure where the authority's file cannot be read */
export function connectionTo(url: string, caFile: string | undefined): ClientConfig {
  if (caFile === undefined) return { connectionString: url };
  try {
    const { url: connectionString, ssl } = databaseTls(url, caFile);
    return { connectionString, ssl };
  } catch (error) {
    throw new Failure(`the authority's certificate cannot be read: ${reasonOf(error)}`);
  }
}
