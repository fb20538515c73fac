import { messagingMigration } from '@reprise/messaging/migration';
import type { MigrationClass } from '@reprise/platform/migrations';
import { Tenants1761955200000 } from './1761955200000-tenants';

/** The one schema that billing owns. */
export const SCHEMA = 'billing';

/** Every migration, in order; a new one goes to the end. */
export const MIGRATIONS: readonly MigrationClass[] = [messagingMigration(SCHEMA), Tenants1761955200000];
