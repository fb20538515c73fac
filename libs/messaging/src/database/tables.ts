/** The tables that this library keeps in the schema of each service that has a database; made by `messagingMigration`. */
export type MessagingTable = 'outbox' | 'inbox';

/** The table's full name, quoted, so that a statement means the same under any search path. */
export function table(schema: string, name: MessagingTable): string {
  return `"${schema.replaceAll('"', '""')}"."${name}"`;
}
