import type { Client, ClientConfig } from 'pg';
import type { DataSource } from 'typeorm';

/** What node-postgres' pool has, whatever its types say. */
interface Pool {
  Client: new (config: ClientConfig) => Client;
  options: ClientConfig;
}

/** Resolves when a connection besides those of the pool can be had, with the pool's own settings; it is closed again. */
export async function checkNewConnection(dataSource: DataSource): Promise<void> {
  const { Client, options } = (dataSource.driver as unknown as { master: Pool }).master;
  const client = new Client(options);
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => undefined);
  }
}
