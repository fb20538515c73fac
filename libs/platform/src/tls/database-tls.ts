import { readFileSync } from 'node:fs';

/** How node-postgres is to speak to a server whose certificate must come from one authority. */
export interface DatabaseTls {
  /** Without the words about TLS that it may hold: node-postgres lets these win. */
  readonly url: string;
  readonly ssl: { readonly ca: string; readonly host: string };
}

const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslrootcert'];

/**
 * @param caFile the authority's certificate, in PEM; more than one may stand in it, while one authority takes over from another
 * @throws Error where the file cannot be read
 */
export function databaseTls(url: string, caFile: string): DatabaseTls {
  const bare = new URL(url);
  for (const parameter of TLS_PARAMETERS) bare.searchParams.delete(parameter);
  // For a host that is an IP address node-postgres gives TLS no name at all, which would then look for "localhost" in the certificate.
  const host = bare.searchParams.get('host') ?? bare.hostname.replace(/^\[|\]$/g, '');
  return { url: bare.toString(), ssl: { ca: readFileSync(caFile, 'utf8'), host } };
}
