import { randomBytes, randomUUID } from 'node:crypto';
import { checkNewConnection, isConnectionRefused } from '@reprise/platform';
import type { DataSource } from 'typeorm';
import { table } from './tables';

/** More than free space in present pages is likely to take, so that a full disk says so; it does not compress. */
const BYTES = 16 * 1024;

/**
 * Whether messages can be applied again: a row can be written into the inbox, which is taken back, and, where connections were what failed, another
 * connection can be had.
 * @param error what failed
 */
export async function probeStore(dataSource: DataSource, schema: string, error: unknown): Promise<void> {
  await dataSource
    .transaction(async (manager) => {
      await manager.query(
        `INSERT INTO ${table(schema, 'inbox')} (consumer, message_id, body_hash, reply) VALUES ('probe', $1, '', $2::jsonb)`,
        [randomUUID(), JSON.stringify(randomBytes(BYTES).toString('base64'))],
      );
      throw new TakenBackError();
    })
    .catch((failure: unknown) => {
      if (!(failure instanceof TakenBackError)) throw failure;
    });
  if (isConnectionRefused(error)) await checkNewConnection(dataSource);
}

class TakenBackError extends Error {}
