import { messagingMigration } from '@reprise/messaging/migration';
import type { MigrationClass } from '@reprise/platform/migrations';
import { Provisioner1764000000000 } from './1764000000000-provisioner';
import { InterruptedTasks1764000100000 } from './1764000100000-interrupted-tasks';
import { FairClaims1764000200000 } from './1764000200000-fair-claims';
import { Retention1764000300000 } from './1764000300000-retention';
import { Salvage1765006000000 } from './1765006000000-salvage';
import { SnapshotSequence1765006000001 } from './1765006000001-snapshot-sequence';
import { WithoutSnapshot1765008000000 } from './1765008000000-without-snapshot';

/** The schema that the provisioner owns. */
export const SCHEMA = 'provisioner';

/** In the order in which they are run. */
export const MIGRATIONS: readonly MigrationClass[] = [
  messagingMigration(SCHEMA),
  Provisioner1764000000000,
  InterruptedTasks1764000100000,
  FairClaims1764000200000,
  Retention1764000300000,
  Salvage1765006000000,
  SnapshotSequence1765006000001,
  WithoutSnapshot1765008000000,
];
